"""The review as a web app for one person on one machine.

Nothing but the page of this review may talk to it: its address holds a random token, a request must be addressed to
loopback (a name that a stranger's DNS points here is refused), and a decision must come from the page's own origin as JSON,
which a form or a link of another page cannot send.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rowcite.errors import LedgerBusy, RowciteError
from rowcite.ledger import open_ledger
from rowcite.model import Decision
from rowcite.report.facts import Facts
from rowcite.report.page import Review, decision_dict, page
from rowcite.report.parts import parts
from rowcite.report.sections import Part
from rowcite.review.verdicts import Cells, NotDecided, decide

WAIT = 2.0
"""Seconds that a decision waits for a command that has the ledger; a run may have it for hours."""

_MOST_BYTES = 64 << 10
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": "frame-ancestors 'none'",
}
_BUSY = "a rowcite command is working on this ledger, and nothing was decided. Try again when it has ended"


@dataclass(slots=True)
class Reviewing:
    """A review under way: what is decided on, where decisions go, and who decides."""

    facts: Facts
    ledger: Path
    who: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    clock: Callable[[], float] = time.time
    drawn: list[Part] = field(init=False)
    cells: Cells = field(init=False)

    def __post_init__(self) -> None:
        self.drawn, self.cells = parts(self.facts), Cells.of(self.facts)

    def page(self) -> str:
        """Return the page with every decision that the ledger has by now."""
        with closing(open_ledger(self.ledger, writing=False)) as ledger:
            decisions = ledger.decisions(self.cells.views)
        return page(self.facts, self.drawn, Review(self.who, decisions))

    def decide(self, said: dict[str, Any]) -> Decision:
        """Write a decision into the ledger, which is held for no longer than that.

        Raises:
            NotDecided, LedgerBusy, LedgerError: nothing was written.
        """
        decision = decide(said, self.cells, who=self.who, at=self.clock())
        with closing(open_ledger(self.ledger, writing=True, wait=WAIT)) as ledger:
            ledger.record_decisions([decision])
        return decision


def create_app(reviewing: Reviewing) -> Starlette:
    """Return the app: the page and where its decisions go, both under the token."""

    async def show(_: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(reviewing.page), headers=_HEADERS)

    async def take(request: Request) -> Response:
        refused = _foreign(request)
        if refused is not None:
            return refused
        said = await _said(request)
        if said is None:
            return _error(400, "a decision is a JSON object")
        try:
            decision = await run_in_threadpool(reviewing.decide, said)
        except NotDecided as error:
            return _error(422, str(error))
        except LedgerBusy:
            return _error(423, _BUSY)
        except RowciteError as error:
            return _error(500, str(error))
        shown = None if decision.verdict == "clear" else decision_dict(decision)
        return JSONResponse({"decision": shown}, headers=_HEADERS)

    root = f"/{reviewing.token}"
    routes = [Route(f"{root}/", show, methods=["GET"]), Route(f"{root}/decisions", take, methods=["POST"])]
    app = Starlette(routes=routes)
    app.add_middleware(_Loopback)
    return app


class _Loopback:
    """Refuses requests that are addressed to another host, as a page does that points its own name at this machine."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or hosts[0] not in _own_hosts(scope):
                refused = PlainTextResponse("Not a host of this review.\n", 421, headers=_HEADERS)
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _own_hosts(scope: Any) -> set[str]:
    port = scope["server"][1]
    return {f"127.0.0.1:{port}", f"localhost:{port}"}


def _foreign(request: Request) -> Response | None:
    """Return the refusal of a request that this review's own page did not send."""
    if request.headers.get("origin") != f"http://{request.headers['host']}":
        return _error(403, "decisions are taken from the review's own page only")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return _error(403, "decisions are taken from the review's own page only")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return _error(415, "decisions are JSON")
    return None


async def _said(request: Request) -> dict[str, Any] | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _error(status: int, words: str) -> JSONResponse:
    return JSONResponse({"error": words}, status, headers=_HEADERS)
