"""The checksum of an answer: it shows that the disk, or a person, changed what was received."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

_BYTES = 8


def checksum(run: int, output: Any) -> bytes:
    """Return 8 bytes of BLAKE2b over a run's id in the ledger and its output. SQL calls it `answer_checksum`."""
    return blake2b(b"%d\n%b" % (run, _bytes(output)), digest_size=_BYTES).digest()


def is_intact(run: Any, output: Any, stored: Any) -> bool:
    """Return True if an output is the one that the checksum was computed from."""
    return isinstance(run, int) and isinstance(output, bytes) and stored == checksum(run, output)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
