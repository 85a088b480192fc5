"""The Task API as a Starlette application: its routes, middleware and settings."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from rowcite.local.server import quirks, webhooks
from rowcite.local.server.access import AccessMiddleware, BodyLimits, RateLimit
from rowcite.local.server.answering import Researcher
from rowcite.local.server.bench import Bench
from rowcite.local.server.credit import Account
from rowcite.local.server.database import Database
from rowcite.local.server.engine import Engine, Services
from rowcite.local.server.faults import DropMiddleware, FaultMiddleware, read_plan
from rowcite.local.server.groups import group_routes
from rowcite.local.server.http_errors import (
    HttpError,
    InvalidRequest,
    answer_http,
    answer_http_error,
    answer_invalid,
    answer_too_deep,
    answer_unexpected,
)
from rowcite.local.server.journal import Journal, JournalMiddleware
from rowcite.local.server.latency import Lognormal
from rowcite.local.server.openapi import openapi_route
from rowcite.local.server.runs import run_events_route, run_routes
from rowcite.local.server.search import older_search_route, search_route
from rowcite.local.server.store import ACTIVE, Store

Clock = Callable[[], float]


@dataclass(frozen=True)
class ServerSettings:
    """How the server behaves.

    `key`: required in every request, unless None. `latency`: 1 is the published band of each processor, 0 is no
    latency; a `Lognormal` is the same for all. `rate_limit`: requests in any 60 seconds. `faults`: see
    `faults.FaultPlan`. `journal`: see `journal`. `quirks`: see `quirks.QUIRKS`. `credit`: US$; None is unlimited.
    `webhook_secret` signs deliveries, the first repeated after `webhook_pause` seconds. `data`: the folder that stores
    runs; None keeps them in memory. `researchers`: threads of research; more than one helps when research waits for I/O.
    `packs_whole`: the records that come in one run are one question. `progress_every`: seconds between two progress events.
    `body`: the limits of a body.
    `loopback_only`: without a key, answer only requests to and from this machine. `private_addresses`: call webhooks and
    MCP servers also at private addresses.
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
    packs_whole: bool = False
    progress_every: float = 5.0
    body: BodyLimits = field(default_factory=BodyLimits)
    loopback_only: bool = True
    private_addresses: bool = False


def create_app(corpus: Researcher, settings: ServerSettings) -> Starlette:
    """Return the Task API answering from `corpus`.

    Raises `UsageError` for an invalid fault plan, and for a data folder that cannot be used.
    """
    clock = _steady_clock()
    services = _services(corpus, settings, clock)
    engine = Engine(_store(settings, clock), services)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.open()
        yield
        engine.close()
        services.journal.close(engine.counts)
        if services.database:
            services.database.close()

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(DropMiddleware),
            Middleware(JournalMiddleware, journal=services.journal),
            Middleware(
                FaultMiddleware, plan=services.faults, partial=quirks.PARTIAL_BATCHES in settings.quirks
            ),
            Middleware(
                AccessMiddleware,
                key=settings.key,
                limit=services.limit,
                loopback_only=settings.loopback_only and settings.key is None,
                body=settings.body,
            ),
        ],
        exception_handlers={
            HttpError: answer_http_error,
            InvalidRequest: answer_invalid,
            RecursionError: answer_too_deep,
            HTTPException: answer_http,
            Exception: answer_unexpected,
        },
        lifespan=lifespan,
    )
    app.state.engine = engine
    return app


def _steady_clock() -> Clock:
    """Return a clock in Unix seconds that is never set: the wall clock as it is now, plus the time that has passed since."""
    now, began = time.time(), time.monotonic()
    return lambda: now + time.monotonic() - began


def _services(corpus: Researcher, settings: ServerSettings, clock: Clock) -> Services:
    return Services(
        researcher=corpus,
        faults=read_plan(settings.faults),
        journal=Journal(settings.journal, time.time),
        account=Account(settings.credit, failed_free=quirks.FAILED_FREE in settings.quirks),
        webhooks=webhooks.Webhooks(
            settings.webhook_secret, time.time, settings.webhook_pause, private=settings.private_addresses
        ),
        clock=clock,
        quirks=settings.quirks,
        database=Database(settings.data) if settings.data else None,
        limit=RateLimit(settings.rate_limit, time.monotonic) if settings.rate_limit is not None else None,
        researchers=settings.researchers,
        packs_whole=settings.packs_whole,
        progress_every=settings.progress_every,
        private_addresses=settings.private_addresses,
        immediate=corpus.immediate if isinstance(corpus, Bench) else None,
    )


def _store(settings: ServerSettings, clock: Clock) -> Store:
    needing_action = {"action_required"} if quirks.ACTION_REQUIRED_ACTIVE in settings.quirks else set()
    return Store(clock, settings.latency, ACTIVE | needing_action)


def _routes() -> list[BaseRoute]:
    return [
        Mount("/v1", routes=[*run_routes(), *group_routes(), search_route()]),
        Mount("/v1beta", routes=[run_events_route(), *group_routes(), older_search_route()]),
        Mount("/alpha", routes=[older_search_route()]),
        openapi_route(),
    ]
