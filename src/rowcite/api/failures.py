"""What an HTTP answer that is no success means: errors are translated here, once. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rowcite.errors import ApiError, ApiRefused, KeyRefused, NotFound, OutOfCredit, Retriable, RowciteError

_PASSING = frozenset(
    {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
)  # 52x: proxies before the API
_LONGEST_PAUSE = 300.0
_LONGEST_TEXT = 200
_MOST_FLAWS = 5


def failure(
    where: str, status: int, body: bytes, after: float | None = None, location: str | None = None
) -> RowciteError:
    """Return the error that an answer stands for.

    `where` names the request, `after` is in how many seconds to come again, `location` where the API is said to be,
    if the answer said so.
    """
    message, ref_id = _explained(body)
    told = f"{where}: {status}" + (f": {message}" if message else "")
    reference = f" (ref_id {ref_id})" if ref_id else ""
    if status == 401:
        return KeyRefused(f"{told}. Check PARALLEL_API_KEY{reference}")
    if status == 402:
        return OutOfCredit(f"{told}{reference}")
    if status in _PASSING:
        return Retriable(told, status=status, ref_id=ref_id, retry_after=after)
    if 300 <= status < 400:
        return ApiError(
            f"{where}: {status}: it is said to be at {_site(location)}. No redirect is followed, so that the key goes to"
            " nobody else: give the base URL of the API itself",
            status=status,
        )
    if status == 404:
        return NotFound(told, status=status, ref_id=ref_id)
    if 400 <= status < 500:
        return ApiRefused(told, status=status, ref_id=ref_id, rows=_named_rows(body))
    return ApiError(told, status=status, ref_id=ref_id)


def _site(location: str | None) -> str:
    try:
        parts = urlsplit(location or "")
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"


def _named_rows(body: bytes) -> tuple[int, ...]:
    """Return which of a request's runs the answer finds fault with: `loc` is `["body", "inputs", 17, ...]`."""
    try:
        told: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    detail = told.get("detail") if isinstance(told, dict) else None
    rows = set()
    for item in detail if isinstance(detail, list) else ():
        loc = item.get("loc") if isinstance(item, dict) else None
        if not isinstance(loc, list) or "inputs" not in loc[:-1]:
            continue
        row = loc[loc.index("inputs") + 1]
        if isinstance(row, int) and not isinstance(row, bool) and row >= 0:
            rows.add(row)
    return tuple(sorted(rows))


def retry_after(value: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date. Returns seconds from now, at most five minutes."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_PAUSE)


def _explained(body: bytes) -> tuple[str, str | None]:
    """Return the message and the ref_id of an error answer, in any of the API's shapes."""
    try:
        told: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _short(" ".join(body.decode("utf-8", "replace").split())), None
    if not isinstance(told, dict):
        return _short(str(told)), None
    error, detail = told.get("error"), told.get("detail")
    if isinstance(error, dict):
        more = f" {msgspec.json.encode(error['detail']).decode()}" if error.get("detail") else ""
        ref_id = error.get("ref_id")
        return f"{error.get('message') or ''}{more}", str(ref_id) if ref_id else None
    if isinstance(detail, list):
        parts = [item for item in detail if isinstance(item, dict)]
        more = f"; and {len(parts) - _MOST_FLAWS} more" if len(parts) > _MOST_FLAWS else ""
        flaws = (f"{_place(part.get('loc'))}: {part.get('msg', '')}" for part in parts[:_MOST_FLAWS])
        return "; ".join(flaws) + more, None
    return _short(str(detail if detail is not None else told)), None


def _place(loc: Any) -> str:
    return ".".join(map(str, loc if isinstance(loc, list) else [loc]))


def _short(text: str) -> str:
    return f"{text[:_LONGEST_TEXT]}…" if len(text) > _LONGEST_TEXT else text
