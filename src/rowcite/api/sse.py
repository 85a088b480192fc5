"""A parser of server-sent events: bytes in, events out, wherever the bytes are split.

Lines are split as bytes, because text splitters also break at U+2028 and U+0085, which JSON may contain unescaped.
Grammar: the WHATWG HTML standard, "Server-sent events".
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BYTES = 64 << 20
"""The size limit of an event: far above any answer of the API."""


class TooLarge(ValueError):
    """An event is larger than `MAX_BYTES`."""


@dataclass(slots=True)
class Parser:
    """Collects lines into events."""

    _rest: bytes = b""
    _data: list[bytes] = field(default_factory=list)
    _size: int = 0
    _begun: bool = False
    _after_cr: bool = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add the next bytes; return the data of each event that they complete, in order."""
        if not self._begun and chunk:
            head = self._rest + chunk
            if len(head) < 3 and b"\xef\xbb\xbf".startswith(head):
                self._rest = head
                return []
            self._rest, chunk, self._begun = b"", head.removeprefix(b"\xef\xbb\xbf"), True
        text, start, events = self._rest + self._normal(chunk), 0, list[bytes]()
        while (end := text.find(b"\n", start)) >= 0:  # `split` takes four times as long
            if text.startswith(b"data", start):
                self._add_line(text, start, end)
            elif end == start and self._data:
                events.append(b"\n".join(self._data))
                self._data, self._size = [], 0
            start = end + 1
        self._rest = text[start:]
        if len(self._rest) + self._size > MAX_BYTES:
            raise TooLarge(f"an event of the stream is larger than {MAX_BYTES >> 20} MiB")
        return events

    def _normal(self, chunk: bytes) -> bytes:
        """Return a chunk with CRLF and CR replaced by LF, also if a chunk ends between CR and LF."""
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk

    def _add_line(self, text: bytes, start: int, end: int) -> None:
        """Add a line that begins with `data` and ends at a place, unless it is another field; `data` alone is an empty one."""
        if text[start + 4 : start + 5] in b":\n":
            self._data.append(text[start + (6 if text.startswith(b" ", start + 5) else 5) : end])
            self._size += end - start + 1
