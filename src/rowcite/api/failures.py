"""Error answers of the API as rowcite's exceptions. Pure; nothing else translates them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rowcite.errors import (
    ApiError,
    ApiRefused,
    InsufficientCredit,
    KeyRefused,
    NotFound,
    Retriable,
    RowciteError,
)
from rowcite.inert import one_line

_TEMPORARY = frozenset(
    {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
)  # 52x: proxies before the API
_MAX_PAUSE = 300.0
_MAX_TEXT = 200
_MAX_MESSAGE = 2_000
_MAX_ERRORS = 5


def failure(
    where: str, status: int, body: bytes, after: float | None = None, location: str | None = None
) -> RowciteError:
    """Return the exception for an answer with an error status.

    `where` names the request; `after` is the answer's Retry-After in seconds, `location` its Location header.
    """
    message, ref_id = (one_line(text, _MAX_MESSAGE) if text else None for text in _explained(body))
    text = f"{where}: {status}" + (f": {message}" if message else "")
    reference = f" (ref_id {ref_id})" if ref_id else ""
    if status == 401:
        return KeyRefused(f"{text}. Check PARALLEL_API_KEY{reference}")
    if status == 402:
        return InsufficientCredit(f"{text}{reference}")
    if status in _TEMPORARY:
        return Retriable(text, status=status, ref_id=ref_id, retry_after=after)
    if 300 <= status < 400:
        return ApiError(
            f"{where}: {status}: redirected to {_site(location)}. Redirects are not followed, because the key must not go to"
            " another host: give the base URL of the API itself",
            status=status,
        )
    if status == 404:
        return NotFound(text, status=status, ref_id=ref_id)
    if 400 <= status < 500:
        return ApiRefused(text, status=status, ref_id=ref_id, rows=_named_rows(body))
    return ApiError(text, status=status, ref_id=ref_id)


def _site(location: str | None) -> str:
    try:
        parts = urlsplit(location or "")
    except ValueError:
        return "an invalid address"
    return one_line(f"{parts.scheme}://{parts.hostname}", _MAX_TEXT) if parts.hostname else "another path"


def _named_rows(body: bytes) -> tuple[int, ...]:
    """Return the positions of the runs that a 422 answer names: `loc` is `["body", "inputs", 17, ...]`."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    detail = answer.get("detail") if isinstance(answer, dict) else None
    rows = set()
    for item in detail if isinstance(detail, list) else ():
        loc = item.get("loc") if isinstance(item, dict) else None
        if not isinstance(loc, list) or "inputs" not in loc[:-1]:
            continue
        row = loc[loc.index("inputs") + 1]
        if isinstance(row, int) and not isinstance(row, bool) and row >= 0:
            rows.add(row)
    return tuple(sorted(rows))


def retry_after(value: str | None, date: str | None = None) -> float | None:
    """Return a Retry-After header (seconds, or a date) as seconds from now, at most five minutes.

    `date` is the response's own Date header: the time by the clock that a date in the header is meant by.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - _moment(date)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _MAX_PAUSE)


def _moment(date: str | None) -> datetime:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _explained(body: bytes) -> tuple[str, str | None]:
    """Return the message and the ref_id of an error answer, in any of the API's shapes."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _short(" ".join(body.decode("utf-8", "replace").split())), None
    if not isinstance(answer, dict):
        return _short(str(answer)), None
    error, detail = answer.get("error"), answer.get("detail")
    if isinstance(error, dict):
        more = f" {msgspec.json.encode(error['detail']).decode()}" if error.get("detail") else ""
        ref_id = error.get("ref_id")
        return f"{error.get('message') or ''}{more}", str(ref_id) if ref_id else None
    if isinstance(detail, list):
        parts = [item for item in detail if isinstance(item, dict)]
        more = f"; and {len(parts) - _MAX_ERRORS} more" if len(parts) > _MAX_ERRORS else ""
        errors = (f"{_place(part.get('loc'))}: {part.get('msg', '')}" for part in parts[:_MAX_ERRORS])
        return "; ".join(errors) + more, None
    return _short(str(detail if detail is not None else answer)), None


def _place(loc: Any) -> str:
    return ".".join(map(str, loc if isinstance(loc, list) else [loc]))


def _short(text: str) -> str:
    return f"{text[:_MAX_TEXT]}…" if len(text) > _MAX_TEXT else text
