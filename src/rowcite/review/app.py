"""The review: a web app for one person on one machine.

Only its own page may use it. The URL holds a random token, the Host header must be loopback (which stops DNS rebinding),
and a decision must arrive as JSON from the page's own origin, which a form or a link on another page cannot send.
"""

from __future__ import annotations

import asyncio
import contextlib
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
from rowcite.report.facts import Facts
from rowcite.report.page import decision_dict
from rowcite.review.page import others_of, review_page
from rowcite.review.scope import Scope
from rowcite.review.verdicts import Cells, InvalidDecision, decide
from rowcite.uvicorn_server import LOOPBACK, UvicornServer, bound_socket

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
_BUSY = "another rowcite command is using this ledger. The decision was not saved; try again when that command has ended"


@dataclass(slots=True)
class ReviewSession:
    """One review: the facts on its page, what it is about, the ledger for its decisions, and the command that applies them."""

    facts: Facts
    scope: Scope
    ledger: Path
    command: str = "rowcite write"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    clock: Callable[[], float] = time.time
    wait: float = 2.0
    """Seconds that a decision waits for the ledger lock, which a run may hold for hours."""
    body_timeout: float = 30.0
    """Seconds for the body of a decision."""
    cells: Cells = field(init=False)

    def __post_init__(self) -> None:
        self.cells = Cells.of(self.facts)

    def page(self) -> str:
        """Return the page with every decision in the ledger so far."""
        with closing(open_ledger(self.ledger, writing=False)) as ledger:
            decisions = ledger.decisions_by_reviewer(self.cells.views)
        return review_page(self.facts, self.scope, decisions, self.command)

    def decide(self, body: dict[str, Any]) -> dict[str, Any]:
        """Save a decision in the ledger, which is locked only meanwhile; return it, and those of other reviewers on the cell.

        Raises:
            InvalidDecision, LedgerBusy, LedgerError: nothing was written.
        """
        decision = decide(body, self.cells, who=self.scope.who, at=self.clock())
        with closing(open_ledger(self.ledger, writing=True, wait=self.wait)) as ledger:
            ledger.record_decisions([decision])
            decisions = ledger.decisions_by_reviewer([decision.key])
        view = self.cells.view(decision.key, body.get("row"), decision.field)
        if decision.verdict == "clear" or view is None:
            return {"decision": None}
        others = others_of(decisions, decision, self.cells.fields[decision.field], view)
        return {"decision": decision_dict(decision), **({"others": others} if others else {})}


def create_app(reviewing: ReviewSession) -> Starlette:
    """Return the app: the page and the endpoint for decisions, both under the token."""

    async def show(_: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(reviewing.page), headers=_HEADERS)

    async def save(request: Request) -> Response:
        refusal = _foreign(request)
        if refusal is not None:
            return refusal
        body = await _json_body(request, reviewing.body_timeout)
        if body is None:
            return _error(400, "expected a decision as a JSON object of at most 64 KB")
        try:
            saved = await run_in_threadpool(reviewing.decide, body)
        except InvalidDecision as error:
            return _error(422, str(error))
        except LedgerBusy:
            return _error(423, _BUSY)
        except RowciteError as error:
            return _error(500, str(error))
        return JSONResponse(saved, headers=_HEADERS)

    root = f"/{reviewing.token}"
    routes = [Route(f"{root}/", show, methods=["GET"]), Route(f"{root}/decisions", save, methods=["POST"])]
    app = Starlette(routes=routes)
    app.add_middleware(_Loopback)
    return app


class _Loopback:
    """Refuses requests with another Host header, as a page sends that points its own domain at this machine."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or hosts[0] not in _own_hosts(scope):
                refusal = PlainTextResponse(
                    "Wrong host: open the review at 127.0.0.1.\n", 421, headers=_HEADERS
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _own_hosts(scope: Any) -> set[str]:
    port = scope["server"][1]
    return {f"127.0.0.1:{port}", f"localhost:{port}"}


def _foreign(request: Request) -> Response | None:
    """Return an error response unless the request came from this review's own page."""
    if request.headers.get("origin") != f"http://{request.headers['host']}":
        return _error(403, "decisions are accepted from the review's own page only")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return _error(403, "decisions are accepted from the review's own page only")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return _error(415, "send decisions as application/json")
    return None


async def _json_body(request: Request, seconds: float) -> dict[str, Any] | None:
    body = b""
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
        value = json.loads(body)
    except (TimeoutError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers=_HEADERS)


# --- the server ------------------------------------------------------------------------------------------


def serve(app: Starlette, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve on loopback until SIGINT or SIGTERM, then return. Port 0 picks a free port; `on_ready` receives the base URL.

    Raises:
        OSError: the port is in use.
    """
    with bound_socket(LOOPBACK, port) as listening:
        url = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        with contextlib.suppress(KeyboardInterrupt):  # the normal way to stop it
            UvicornServer(app, lambda: on_ready(url)).run(sockets=[listening])
