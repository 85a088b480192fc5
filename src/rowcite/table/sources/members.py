"""The members of JSON lines as each line has them.

A frame has one type for a column, so in it a member's form depends on the other lines: 1 beside "a" becomes "1".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import InvalidOperation

import msgspec
import polars as pl

from rowcite.api.keys import canonical, exact
from rowcite.errors import TableError
from rowcite.table.sources.base import Rows

OTHER = "\0other "
"""How the name of the column begins that has a member's JSON text where it is not a text."""


def members(rows: Rows, names: Sequence[str]) -> pl.DataFrame:
    """Return two columns for each name: the members that are texts, and the JSON texts of the others; else null.

    `rows` have lines. Both are null for a member that is null or missing.
    """
    exact_columns = [name for name in names if rows.frame.schema[name] in (pl.Int64, pl.Boolean, pl.Null)]
    read = _others(rows.lines or (), [name for name in names if name not in exact_columns])
    read |= {name: rows.frame[name].cast(pl.String) for name in exact_columns}
    columns = []
    for name in names:
        column, other = rows.frame[name], read[name].alias(OTHER + name)
        own = (
            column if column.dtype == pl.String else pl.repeat(None, len(column), dtype=pl.String, eager=True)
        )
        columns += [
            own.set(other.is_not_null(), None).alias(name),
            other,
        ]  # polars writes 1 beside a text as "1"
    return pl.DataFrame(columns)


def _others(lines: Sequence[bytes], names: Sequence[str]) -> dict[str, pl.Series]:
    """Return the members that are not texts, as canonical JSON texts."""
    decode = _decoder(names).decode
    try:
        wholes = [decode(line) for line in lines] if names else []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(f"a line is not JSON: {error}") from error
    return {
        name: pl.Series([_other(bytes(getattr(whole, _field(at)))) for whole in wholes], dtype=pl.String)
        for at, name in enumerate(names)
    }


def _decoder(names: Sequence[str]) -> msgspec.json.Decoder[msgspec.Struct]:
    fields = [(_field(at), msgspec.Raw, msgspec.Raw(b"null")) for at in range(len(names))]
    rename = {_field(at): name for at, name in enumerate(names)}
    return msgspec.json.Decoder(msgspec.defstruct("Line", fields, rename=rename))


def _field(at: int) -> str:
    return f"f{at}"


_CANONICAL = re.compile(rb"-?(?!0\.0{6})(?:0|[1-9]\d{0,20})(?:\.\d*[1-9])?")
"""Most numbers whose text is the canonical one already."""


def _other(raw: bytes) -> str | None:
    """Return the canonical text of a member that is neither a text nor null."""
    first = raw[:1]
    if first in (b'"', b"n"):
        return None
    if first in (b"t", b"f"):
        return raw.decode()
    plain = raw.removesuffix(b".0")
    if _CANONICAL.fullmatch(plain) and plain != b"-0":
        return plain.decode()
    try:
        return canonical(exact(raw)).decode()
    except InvalidOperation as error:
        raise TableError(f"the number {raw[:100].decode()} is too large") from error
