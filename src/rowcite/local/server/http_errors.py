"""The error answers of the server, in the documented shapes."""

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
class FieldError:
    """One error of a request: where (`loc` starts with body, query or header), what, and a machine-readable type."""

    loc: tuple[str | int, ...]
    msg: str
    type: str = "value_error"

    def under(self, *prefix: str | int) -> FieldError:
        """Return the same error with a longer path."""
        return FieldError((*prefix, *self.loc), self.msg, self.type)


class HttpError(Exception):  # an answer, not a fault of this program
    """Raised to answer with `status` and an `ErrorResponse`."""

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


class InvalidRequest(Exception):  # as above
    """Raised to answer with 422 and every error found."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__("; ".join(error.msg for error in errors))


def run_not_found() -> HttpError:
    """Return the documented 404 of run paths."""
    return HttpError(404, "Run id not found")


def too_many_requests(wait: float) -> HttpError:
    """Return the documented 429, with the seconds to wait before trying again."""
    headers = {"retry-after": str(math.ceil(wait))}
    return HttpError(429, "Too many requests: quota temporarily exceeded", headers)


def group_not_found() -> HttpError:
    """Return the documented 404 of group paths."""
    return HttpError(404, "TaskGroup not found")


def error_body(message: str, detail: dict[str, object] | None = None) -> bytes:
    """Return an `ErrorResponse` with a fresh ref_id."""
    return msgspec.json.encode(ErrorResponse(Error(str(uuid4()), message, detail)))


def answer_http_error(_: Request, error: Exception) -> Response:
    """Return the response of an `HttpError`."""
    assert isinstance(error, HttpError)  # registered for this class only
    return _json(error.status, error_body(error.message, error.detail), error.headers)


def answer_invalid(request: Request, invalid: Exception) -> Response:
    """Return the response of an `InvalidRequest`: `{"detail": [...]}` on group paths, an `ErrorResponse` elsewhere."""
    assert isinstance(invalid, InvalidRequest)  # as above
    if "/tasks/groups" in request.scope["path"]:  # the URL would hold what the Host header adds to it
        return _json(422, msgspec.json.encode({"detail": invalid.errors}))
    detail: dict[str, object] = {"errors": [msgspec.to_builtins(error) for error in invalid.errors]}
    return _json(422, error_body(f"Request validation error: {invalid}", detail))


def answer_too_deep(request: Request, problem: Exception) -> Response:
    """Return the response to a body that nests too deeply to be processed."""
    del problem
    return answer_invalid(request, InvalidRequest([FieldError(("body",), "The body nests too deeply.")]))


def answer_http(_: Request, problem: Exception) -> Response:
    """Return Starlette's own 404 and 405 with the documented body."""
    assert isinstance(problem, HTTPException)  # as above
    message = _STATUS_TEXT.get(problem.status_code, problem.detail)
    return _json(problem.status_code, error_body(message), dict(problem.headers or {}))


def answer_unexpected(_: Request, problem: Exception) -> Response:
    """Return the response to an unexpected error, without its text."""
    del problem
    return _json(500, error_body(_STATUS_TEXT[500]))


def decoded(body: bytes, shape: type[T]) -> T:
    """Return a JSON body as `shape`; raise `InvalidRequest` with the path of the first error."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise InvalidRequest([FieldError(("body", *_steps(path)), message, "type_error")]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            [FieldError(("body",), f"JSON decode error: {error}", "json_invalid")]
        ) from error


def _steps(path: str) -> tuple[str | int, ...]:
    """Split msgspec's `$.inputs[3].processor` into keys and positions."""
    return tuple(int(n) if n else name for name, n in re.findall(r"\.([^.\[`]+)|\[(\d+)\]", path))


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, "application/json")
