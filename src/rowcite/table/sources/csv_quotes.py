"""Quotes in a CSV, checked as bytes. Arrow joins `"a" b` into one value and reads past a quote that is never closed.

It also drops the LF of a CRLF in a quoted value if a block ends between the two: such a file is given to it in whole rows.

One regular expression matches whole blocks, so that the check costs a fraction of Python's csv module and little memory.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rowcite.spec import read_limits
from rowcite.table.sources.limits import max_unpacked_bytes
from rowcite.table.sources.streams import open_stream

BLOCK = read_limits.ROW >> 6
"""Bytes that are read at a time; the size of Arrow's blocks, so that the check sees how they end."""
_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'


class Quotes(NamedTuple):
    """What is known of a file's quotes: whether one is faulty, and whether a block ends within a CRLF of a quoted value."""

    faulty: bool
    splits: bool


def check_quotes(file: Path, separator: str, skip: int = 0, *, block_size: int = BLOCK) -> Quotes:
    """Return whether a quoted value of UTF-8 text has text after its closing quote or is never closed, and the splits.

    A quote inside a value without quotes is a character of it. The first `skip` lines do not count.
    `csv_faults` finds the line of a fault.
    """
    whole, closed = _patterns(separator.encode())
    left, splits, rest = max_unpacked_bytes(file), False, b"\n"  # a value may begin after a line end
    with open_stream(file) as stream:
        block = _first(stream, skip, block_size)
        while left > 0:
            left -= len(block)  # the reader of the rows rejects a file that unpacks to more
            if b'"' not in block and b'"' not in rest:
                rest = (rest + block)[-1:]
            else:
                rest = _rest(whole, rest + block)
                if len(rest) > read_limits.ROW or closed.match(rest, 1):
                    return Quotes(faulty=True, splits=False)
            if not (block := stream.read(block_size * max(1, len(rest) // block_size))):
                break
            if rest[1:2] == b'"':  # the block before ended in a quoted value
                splits = splits or _is_split(rest[-1:] + block, block_size)
    return Quotes(len(_rest(whole, rest + b"\n")) > 1, splits)


def _is_split(text: bytes, block_size: int) -> bool:
    """Return True if a block ends within a CRLF. The text begins with the last byte of a block."""
    return any(text.startswith(b"\r\n", at) for at in range(0, len(text), block_size))


def row_blocks(file: Path, separator: str, skip: int, *, block_size: int = BLOCK) -> Iterator[bytes]:
    """Yield the rows of a file whose quotes are without faults, in blocks of whole rows."""
    rows = _rows(separator.encode())
    with open_stream(file) as stream:
        text = _first(stream, skip, block_size)
        while block := stream.read(max(block_size, len(text))):
            text += block
            found = rows.match(text)
            end = found.end() if found else 0
            if end:
                yield text[:end]
            elif len(text) > read_limits.ROW:
                break
            text = text[end:]
    if text:
        yield text


def _first(stream: Any, skip: int, block_size: int) -> bytes:
    """Return the first block of a file, without a byte-order mark and the lines above the table."""
    return _without_lines(stream.read(block_size).removeprefix(BOM_UTF8), stream, skip, block_size)


def _without_lines(head: bytes, stream: Any, lines: int, block_size: int) -> bytes:
    """Return what was read of a stream below its first lines."""
    above = re.compile(rb"(?:[^\r\n]*+(?:\r\n|\r|\n)){%d}" % lines)
    while (found := above.match(head)) is None and (block := stream.read(block_size)):
        head += block
    return head[found.end() :] if found else b""


def _rest(whole: re.Pattern[bytes], text: bytes) -> bytes:
    """Return what follows the values that are whole, and the character before it."""
    found = whole.match(text, 1)
    return text[found.end() - 1 :] if found else text


@cache
def _patterns(separator: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return the patterns of a text without faults, and of a quoted value that ends where no value may end."""
    ends = rb"[%b\r\n]" % re.escape(separator)
    more = rb'(?:%b"[^"]*+"(?=%b))*+' % (ends, ends)  # values without a quote inside, quickly
    valid = rb'(?<=%b)%b(?=%b)%b|(?<!%b)"' % (ends, _QUOTED, ends, more, ends)
    whole = rb'[^"]*+(?:(?:%b)[^"]*+)*+' % valid
    return re.compile(whole), re.compile(_QUOTED + rb"(?!%b)(?=.)" % ends, re.DOTALL)


@cache
def _rows(separator: bytes) -> re.Pattern[bytes]:
    """Return the pattern of rows that are whole. A CR at the end may be half of a line end."""
    mark = re.escape(separator)
    value = rb'(?:%b|[^%b\r\n"][^%b\r\n]*+)?+' % (_QUOTED, mark, mark)
    return re.compile(rb"(?:%b(?:%b%b)*+(?:\r\n|\n|\r(?=[^\n])))*+" % (value, mark, value))
