"""The Task API as a Starlette application: its routes, what stands before them, and its settings."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from rowcite.server.engine import Engine, Researcher
from rowcite.server.faults import Droppable, Faulty, read_plan
from rowcite.server.gate import Gate, RateLimit
from rowcite.server.groups import group_routes
from rowcite.server.journal import Journal, Journaled
from rowcite.server.refusals import (
    Invalid,
    Refusal,
    answer_bug,
    answer_http,
    answer_invalid,
    answer_refusal,
    answer_too_deep,
)
from rowcite.server.runs import run_events_route, run_routes
from rowcite.server.store import Store


@dataclass(frozen=True)
class ServerSettings:
    """How the server behaves.

    `key`: asked of every request; None asks for none. `latency`: 1 is the documented band of each processor, 0 is
    at once. `rate_limit`: requests in any 60 seconds. `faults`: see `faults.FaultPlan`. `journal`: see `journal`.
    """

    key: str | None = None
    latency: float = 0.0
    rate_limit: int | None = None
    faults: dict[str, Any] | None = None
    journal: Path | None = None


def create_app(corpus: Researcher, settings: ServerSettings) -> Starlette:
    """Return the Task API answering from `corpus`. Raises `UsageError` for a fault plan that is none."""
    faults = read_plan(settings.faults)
    journal = Journal(settings.journal, time.time)
    engine = Engine(Store(time.time, settings.latency), corpus, faults, journal, time.time)
    limit = RateLimit(settings.rate_limit, time.time) if settings.rate_limit is not None else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.open()
        yield
        engine.close()
        journal.close()

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(Droppable),
            Middleware(Journaled, journal=journal),
            Middleware(Faulty, plan=faults),
            Middleware(Gate, key=settings.key, limit=limit),
        ],
        exception_handlers={
            Refusal: answer_refusal,
            Invalid: answer_invalid,
            RecursionError: answer_too_deep,
            HTTPException: answer_http,
            Exception: answer_bug,
        },
        lifespan=lifespan,
    )
    app.state.engine = engine
    return app


def _routes() -> list[BaseRoute]:
    return [
        Mount("/v1", routes=[*run_routes(), *group_routes()]),
        Mount("/v1beta", routes=[run_events_route(), *group_routes()]),
    ]
