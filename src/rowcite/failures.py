"""What an HTTP answer that is no success means: errors are translated here, once. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from rowcite.errors import ApiError, ApiRefused, KeyRefused, NotThere, OutOfCredit, Retriable, RowciteError

_PASSING = frozenset(
    {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
)  # 52x: proxies before the API
_LONGEST_PAUSE = 300.0
_LONGEST_TEXT = 200


def failure(where: str, status: int, body: bytes, after: float | None = None) -> RowciteError:
    """Return the error that an answer stands for.

    `where` names the request, `after` is in how many seconds to come again, if the answer said so.
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
    kind = NotThere if status == 404 else ApiRefused if 400 <= status < 500 else ApiError
    return kind(told, status=status, ref_id=ref_id)


def retry_after(value: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date. Returns seconds from now, at most five minutes."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_PAUSE)


def _explained(body: bytes) -> tuple[str, str | None]:
    """Return the message and the ref_id of an error answer, in any of the API's shapes."""
    try:
        told: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
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
        return "; ".join(
            f"{'.'.join(map(str, part.get('loc') or ()))}: {part.get('msg', '')}" for part in parts
        ), None
    return _short(str(detail if detail is not None else told)), None


def _short(text: str) -> str:
    return f"{text[:_LONGEST_TEXT]}…" if len(text) > _LONGEST_TEXT else text
