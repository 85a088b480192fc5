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

from rowcite.local.server import quirks, webhooks
from rowcite.local.server.access import Gate, RateLimit
from rowcite.local.server.answering import Researcher
from rowcite.local.server.bench import Bench
from rowcite.local.server.credit import Account
from rowcite.local.server.database import Disk
from rowcite.local.server.engine import Engine, Services
from rowcite.local.server.faults import Droppable, Faulty, read_plan
from rowcite.local.server.groups import group_routes
from rowcite.local.server.http_errors import (
    Invalid,
    Refusal,
    answer_bug,
    answer_http,
    answer_invalid,
    answer_refusal,
    answer_too_deep,
)
from rowcite.local.server.journal import Journal, Journaled
from rowcite.local.server.latency import Lognormal
from rowcite.local.server.openapi import openapi_route
from rowcite.local.server.runs import run_events_route, run_routes
from rowcite.local.server.search import older_search_route, search_route
from rowcite.local.server.store import ACTIVE, Store


@dataclass(frozen=True)
class ServerSettings:
    """How the server behaves.

    `key`: asked of every request; None asks for none. `latency`: 1 is the documented band of each processor, 0 is
    at once; a `Lognormal` is the same for all. `rate_limit`: requests in any 60 seconds. `faults`: see `faults.FaultPlan`. `journal`: see `journal`.
    `quirks`: see `quirks.QUIRKS`. `credit`: US$; None is credit without end. `webhook_secret` signs deliveries, the
    first repeated after `webhook_pause` seconds. `data`: the folder where runs live; None keeps them in memory.
    `researchers`: so many runs are researched at once; more than one pays when the researcher waits for others.
    """

    key: str | None = None
    latency: float | Lognormal = 0.0
    rate_limit: int | None = None
    faults: dict[str, Any] | None = None
    journal: Path | None = None
    quirks: frozenset[str] = frozenset()
    credit: float | None = None
    webhook_secret: str | None = None
    webhook_pause: float = webhooks.PAUSE
    data: Path | None = None
    researchers: int = 1


def create_app(corpus: Researcher, settings: ServerSettings) -> Starlette:
    """Return the Task API answering from `corpus`.

    Raises `UsageError` for a fault plan that is none, and for a data folder that cannot be used.
    """
    services = _house(corpus, settings)
    engine = Engine(_store(settings), services)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.open()
        yield
        engine.close()
        services.journal.close(engine.tally)
        if services.disk:
            services.disk.close()

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(Droppable),
            Middleware(Journaled, journal=services.journal),
            Middleware(Faulty, plan=services.faults, partial=quirks.PARTIAL_BATCHES in settings.quirks),
            Middleware(Gate, key=settings.key, limit=services.limit),
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


def _house(corpus: Researcher, settings: ServerSettings) -> Services:
    return Services(
        researcher=corpus,
        faults=read_plan(settings.faults),
        journal=Journal(settings.journal, time.time),
        account=Account(settings.credit, failed_free=quirks.FAILED_FREE in settings.quirks),
        webhooks=webhooks.Webhooks(settings.webhook_secret, time.time, settings.webhook_pause),
        clock=time.time,
        quirks=settings.quirks,
        disk=Disk(settings.data) if settings.data else None,
        limit=RateLimit(settings.rate_limit, time.time) if settings.rate_limit is not None else None,
        researchers=settings.researchers,
        at_once=corpus.at_once if isinstance(corpus, Bench) else None,
    )


def _store(settings: ServerSettings) -> Store:
    needing_action = {"action_required"} if quirks.ACTION_REQUIRED_ACTIVE in settings.quirks else set()
    return Store(time.time, settings.latency, ACTIVE | needing_action)


def _routes() -> list[BaseRoute]:
    return [
        Mount("/v1", routes=[*run_routes(), *group_routes(), search_route()]),
        Mount("/v1beta", routes=[run_events_route(), *group_routes(), older_search_route()]),
        Mount("/alpha", routes=[older_search_route()]),
        openapi_route(),
    ]
