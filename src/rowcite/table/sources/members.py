"""The members of JSON lines as each line has them.

A frame has one type for a column, so in it a member's form depends on the other lines: 1 beside "a" becomes "1".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import InvalidOperation
from operator import attrgetter

import msgspec
import polars as pl

from rowcite.api.keys import canonical, exact
from rowcite.errors import TableError
from rowcite.table.sources.base import Rows

OTHER = "\0other "
"""How the name of the column begins that has a member's JSON text where it is not a text."""


def members(rows: Rows, names: Sequence[str]) -> pl.DataFrame:
    """Return two columns for each name: the members that are texts, and the canonical JSON texts of the others; else null.

    `rows` have lines. Both are null for a member that is null or missing.
    """
    exact_columns = [name for name in names if rows.frame.schema[name] in (pl.Int64, pl.Boolean, pl.Null)]
    dates = [name for name in names if rows.frame.schema[name].is_temporal()]
    others = [name for name in names if name not in (*exact_columns, *dates)]
    read = _others(rows, others, _canonical)
    texts = _others(rows, dates, _text)
    read |= {name: rows.frame[name].cast(pl.String) for name in exact_columns}
    columns = []
    for name in names:
        if name in texts:  # each as its own line has it: a date, or a date and time
            nothing = pl.Series(OTHER + name, [None] * len(texts[name]), pl.String)
            columns += [texts[name].alias(name), nothing]
            continue
        column, other = rows.frame[name], read[name].alias(OTHER + name)
        own = (
            column if column.dtype == pl.String else pl.repeat(None, len(column), dtype=pl.String, eager=True)
        )
        columns += [
            own.set(other.is_not_null(), None).alias(name),
            other,
        ]  # polars writes 1 beside a text as "1"
    return pl.DataFrame(columns)


def with_own_texts(rows: Rows, names: Sequence[str] = ()) -> pl.DataFrame:
    """Return the frame with each text as its line has it: 1.0 beside "a" is 1.0, where a frame has 1.

    Columns of `names` become texts: a text as it is, any other member as its own JSON text; dates and times stay. The
    frame of rows without lines is returned as it is.
    """
    frame, lines = rows.frame, rows.lines
    if lines is None:
        return frame
    names = [name for name in names if not frame.schema[name].is_temporal()]
    same = {pl.Int64, pl.Boolean, pl.Null}
    if names and any(map(_MINUS_ZERO.search, lines)):
        same.remove(pl.Int64)
    own = [
        name
        for name, dtype in frame.schema.items()
        if dtype == pl.String or (name in names and dtype not in same)
    ]
    columns = [
        text.zip_with(text.is_not_null(), frame[name]) if frame.schema[name] == pl.String else text
        for name, text in _others(rows, own, _own).items()
    ]
    return frame.with_columns(columns).with_columns(pl.col(list(names)).cast(pl.String))


def own_texts(rows: Rows, names: Sequence[str]) -> pl.DataFrame:
    """Return some columns, those of JSON lines as texts that do not depend on other lines."""
    return with_own_texts(Rows(rows.frame.select(names), lines=rows.lines), names)


_MINUS_ZERO = re.compile(rb":\s*-0\s*[,}]")
"""The only whole number whose text differs from the number's."""


def edited(line: bytes, values: Mapping[str, object]) -> bytes:
    """Return a line with some members replaced, or added at its end. The others keep their text."""
    if not values:
        return line
    members = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    new = {name: _json(value) for name, value in values.items()}
    texts = {**{name: bytes(raw) for name, raw in members.items()}, **new}
    return b"{" + b", ".join(b"%b: %b" % (_json(name), text) for name, text in texts.items()) + b"}"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()


def _others(rows: Rows, names: Sequence[str], text_of: Callable[[bytes], str | None]) -> dict[str, pl.Series]:
    """Return the texts of the members that are not texts themselves."""
    lines, frame = rows.lines or [], rows.frame
    read = _not_only_texts(lines, [name for name in names if frame.schema[name] == pl.String])
    read |= {name for name in names if frame.schema[name] != pl.String}
    wanted = [name for name in names if name in read]
    try:
        members_of = _raw(lines, wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(f"a line is not JSON: {error}") from error
    nothing = [None] * frame.height
    return {
        name: pl.Series(
            name,
            [text_of(bytes(raw)) for raw in members_of[name]] if name in members_of else nothing,
            pl.String,
        )
        for name in names
    }


def _raw(lines: Sequence[bytes], names: Sequence[str]) -> dict[str, list[msgspec.Raw]]:
    """Return the bytes of these members of each line, `null` for a missing one."""
    if not names:
        return {}
    null = msgspec.Raw(b"null")
    if not all(map(_PLAIN_NAME.fullmatch, names)):  # msgspec's structs take no such name
        wholes = [msgspec.json.decode(line, type=dict[str, msgspec.Raw]) for line in lines]
        return {name: [whole.get(name, null) for whole in wholes] for name in names}
    places = {name: f"f{at}" for at, name in enumerate(names)}
    fields = [(place, msgspec.Raw, null) for place in places.values()]
    rename = {place: name for name, place in places.items()}
    decode = msgspec.json.Decoder(msgspec.defstruct("Line", fields, rename=rename)).decode
    decoded = [decode(line) for line in lines]
    return {name: list(map(attrgetter(place), decoded)) for name, place in places.items()}


_PLAIN_NAME = re.compile(r'[^"\\/\x00-\x1f]*')


def _not_only_texts(lines: Sequence[bytes], names: Sequence[str]) -> set[str]:
    """Return the names of members that may be something else than a text or null. This takes less time than decoding lines."""
    data = b"\n".join(lines)
    if b"\\u" in data:  # a name may be written in several ways
        return set(names)
    return {
        name
        for name in names
        if not _PLAIN_NAME.fullmatch(name)
        or re.search(rb'"%b"[ \t\r]*+:[ \t\r]*+(?!"|null)' % re.escape(name.encode()), data)
    }


_IS_CANONICAL = re.compile(rb"-?(?!0\.0{6})(?:0|[1-9]\d{0,20})(?:\.\d*[1-9])?")
"""Most numbers whose text is the canonical one already."""


def _own(raw: bytes) -> str | None:
    """Return the text of a member that is neither a text nor null; None for these."""
    return None if raw[:1] in (b'"', b"n") else raw.decode()


def _text(raw: bytes) -> str | None:
    """Return a member that is a text; None for any other."""
    return msgspec.json.decode(raw, type=str) if raw[:1] == b'"' else None


def _canonical(raw: bytes) -> str | None:
    """Return the canonical text of a member that is neither a text nor null; None for these."""
    text = _own(raw)
    if text is None or text[0] in "tf":
        return text
    plain = raw.removesuffix(b".0")
    if _IS_CANONICAL.fullmatch(plain) and plain != b"-0":
        return plain.decode()
    try:
        return canonical(exact(raw)).decode()
    except InvalidOperation as error:
        raise TableError(f"the number {raw[:100].decode()} is too large") from error
