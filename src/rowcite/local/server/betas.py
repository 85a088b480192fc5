"""The `parallel-beta` header: what a request asks for with it, and what may be refused without it."""

from __future__ import annotations

from starlette.requests import Request

from rowcite.api.facts import BETAS
from rowcite.local.server.quirks import BETAS_DEMANDED
from rowcite.local.server.refusals import Flaw, Invalid


def betas(request: Request) -> frozenset[str]:
    """Return the betas that a request names and this server knows; others harm nothing."""
    listed = ",".join(request.headers.getlist("parallel-beta"))
    return BETAS & {part.strip() for part in listed.split(",")}


def demand(request: Request, beta: str) -> None:
    """Refuse a request that does not name a beta, if the server has the quirk of asking for it."""
    if BETAS_DEMANDED in request.app.state.engine.quirks and beta not in betas(request):
        raise Invalid([missing(beta)])


def missing(beta: str) -> Flaw:
    """Return what is wrong with a request that needs a beta and does not name it."""
    return Flaw(("header", "parallel-beta"), f"This needs the header parallel-beta: {beta}.", "missing")
