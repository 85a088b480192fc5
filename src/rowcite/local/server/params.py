"""The parameters of a request: its query, and the `parallel-beta` header."""

from __future__ import annotations

import math

from starlette.requests import Request

from rowcite.api.facts import BETAS, RUN_STATUSES
from rowcite.local.server.http_errors import FieldError, InvalidRequest
from rowcite.local.server.quirks import BETAS_DEMANDED

_YES = frozenset(("true", "1", "yes", "on"))
_NO = frozenset(("false", "0", "no", "off"))


def flag(request: Request, name: str, *, default: bool) -> bool:
    """Return a boolean parameter."""
    value = request.query_params.get(name, "").lower()
    if value in _YES or value in _NO:
        return value in _YES
    if value:
        raise _invalid(name, "Input should be a valid boolean", "bool_parsing")
    return default


def seconds(request: Request, name: str, *, default: float, most: float) -> float:
    """Return a duration in seconds, 0 or more, at most `most`."""
    value = request.query_params.get(name)
    if not value:
        return default
    try:
        given = float(value)
    except ValueError:
        given = math.nan
    if not given >= 0:
        raise _invalid(name, "Input should be a number of seconds, 0 or more", "float_parsing")
    return min(given, most)


def status(request: Request) -> str | None:
    """Return the run status to filter by."""
    value = request.query_params.get("status")
    if value and value not in RUN_STATUSES:
        raise _invalid("status", f"Input should be one of {', '.join(RUN_STATUSES)}", "enum")
    return value or None


def _invalid(name: str, message: str, kind: str) -> InvalidRequest:
    return InvalidRequest([FieldError(("query", name), message, kind)])


def betas(request: Request) -> frozenset[str]:
    """Return the known betas that a request names; others are ignored."""
    listed = ",".join(request.headers.getlist("parallel-beta"))
    return BETAS & {part.strip() for part in listed.split(",")}


def require_beta(request: Request, beta: str) -> None:
    """Raise `InvalidRequest` if the request does not name a beta and the server has the quirk of requiring it."""
    if BETAS_DEMANDED in request.app.state.engine.quirks and beta not in betas(request):
        raise InvalidRequest([missing_beta(beta)])


def missing_beta(beta: str) -> FieldError:
    """Return the error of a request that needs a beta and does not name it."""
    return FieldError(("header", "parallel-beta"), f"This needs the header parallel-beta: {beta}.", "missing")
