"""Every way this server says no, and the body that says it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rowcite.local.server.shapes import Error, ErrorResponse

T = TypeVar("T")
_STATUS_TEXT = {404: "Not found", 405: "Method not allowed", 500: "Internal server error"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a request: where (`loc` starts with body or query), what, and a machine-readable type."""

    loc: tuple[str | int, ...]
    msg: str
    type: str = "value_error"

    def under(self, *prefix: str | int) -> Flaw:
        """Return the same flaw seen from further out."""
        return Flaw((*prefix, *self.loc), self.msg, self.type)


class Refusal(Exception):  # an answer, not a fault of this program
    """A request that gets `status` with an `ErrorResponse`."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: dict[str, str] | None = None,
        detail: dict[str, object] | None = None,
    ) -> None:
        self.status = status
        self.message = message
        self.headers = headers
        self.detail = detail
        super().__init__(message)


class Invalid(Exception):  # as above
    """A request that gets 422: every flaw found."""

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = flaws
        super().__init__("; ".join(flaw.msg for flaw in flaws))


def no_such_run() -> Refusal:
    """Return the documented 404 of run paths."""
    return Refusal(404, "Run id not found")


def too_many(wait: float) -> Refusal:
    """Return the documented 429, with the seconds after which to come again."""
    headers = {"retry-after": str(math.ceil(wait))}
    return Refusal(429, "Too many requests: quota temporarily exceeded", headers)


def no_such_group() -> Refusal:
    """Return the documented 404 of group paths."""
    return Refusal(404, "TaskGroup not found")


def error_body(message: str, detail: dict[str, object] | None = None) -> bytes:
    """Return an `ErrorResponse` with a fresh ref_id."""
    return msgspec.json.encode(ErrorResponse(Error(str(uuid4()), message, detail)))


def answer_refusal(_: Request, refusal: Exception) -> Response:
    """Turn a `Refusal` into its response."""
    assert isinstance(refusal, Refusal)  # registered for this class only
    return _json(refusal.status, error_body(refusal.message, refusal.detail), refusal.headers)


def answer_invalid(request: Request, invalid: Exception) -> Response:
    """Turn an `Invalid` into its response: `{"detail": [...]}` on group paths, an `ErrorResponse` elsewhere."""
    assert isinstance(invalid, Invalid)  # as above
    if "/tasks/groups" in request.url.path:
        return _json(422, msgspec.json.encode({"detail": invalid.flaws}))
    detail: dict[str, object] = {"errors": [msgspec.to_builtins(flaw) for flaw in invalid.flaws]}
    return _json(422, error_body(f"Request validation error: {invalid}", detail))


def answer_too_deep(request: Request, problem: Exception) -> Response:
    """Refuse a body whose nesting is too deep to be worked on, wherever that shows."""
    del problem
    return answer_invalid(request, Invalid([Flaw(("body",), "The body nests too deeply.")]))


def answer_http(_: Request, problem: Exception) -> Response:
    """Give Starlette's own 404 and 405 the documented body."""
    assert isinstance(problem, HTTPException)  # as above
    message = _STATUS_TEXT.get(problem.status_code, problem.detail)
    return _json(problem.status_code, error_body(message), dict(problem.headers or {}))


def answer_bug(_: Request, problem: Exception) -> Response:
    """Give an unforeseen error the documented body, without its text."""
    del problem
    return _json(500, error_body(_STATUS_TEXT[500]))


def decoded(body: bytes, shape: type[T]) -> T:
    """Return a JSON body as `shape`, or raise `Invalid` with the place of the first flaw."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise Invalid([Flaw(("body", *_steps(path)), message, "type_error")]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid([Flaw(("body",), f"JSON decode error: {error}", "json_invalid")]) from error


def _steps(path: str) -> tuple[str | int, ...]:
    """Split msgspec's `$.inputs[3].processor` into keys and positions."""
    return tuple(int(n) if n else name for name, n in re.findall(r"\.([^.\[`]+)|\[(\d+)\]", path))


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, "application/json")
