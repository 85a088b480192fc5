"""Quotes in a CSV, checked as bytes. Arrow joins `"a" b` into one value and reads past a quote that is never closed.

One regular expression matches whole blocks, so that the check costs a fraction of Python's csv module and little memory.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from functools import cache
from pathlib import Path
from typing import Any

from rowcite.spec import read_limits
from rowcite.table.sources.limits import max_unpacked_bytes
from rowcite.table.sources.streams import open_stream

_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'


def has_quote_fault(file: Path, separator: str, skip: int = 0, *, block_size: int = 1 << 20) -> bool:
    """Return True if a quoted value of UTF-8 text has text after its closing quote, or is never closed.

    A quote inside a value without quotes is a character of it. The first `skip` lines do not count.
    `csv_faults` finds the line of a fault.
    """
    whole, closed = _patterns(separator.encode())
    left = max_unpacked_bytes(file)
    with open_stream(file) as stream:
        rest = stream.read(len(BOM_UTF8)).removeprefix(BOM_UTF8)
        rest = b"\n" + _without_lines(rest, stream, skip)  # a value may begin after a line end
        while (block := stream.read(max(block_size, len(rest)))) and left > 0:
            left -= len(block)  # the reader of the rows rejects a file that unpacks to more
            if b'"' not in block and b'"' not in rest:
                rest = block[-1:]
                continue
            rest = _rest(whole, rest + block)
            if len(rest) > read_limits.ROW or closed.match(rest, 1):
                return True
    return len(_rest(whole, rest + b"\n")) > 1


def _without_lines(head: bytes, stream: Any, lines: int) -> bytes:
    """Return what was read of a stream below its first lines."""
    above = re.compile(rb"(?:[^\r\n]*+(?:\r\n|\r|\n)){%d}" % lines)
    while (found := above.match(head)) is None and (block := stream.read(1 << 20)):
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
