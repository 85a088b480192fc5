"""The checksum of an answer: it shows that the disk, or a person, changed what was received."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from zlib import crc32


def checksum(run: int, output: Any) -> bytes:
    """Return the CRC-32 of a run's id in the ledger and its output, as 4 bytes. SQL calls it `answer_checksum`."""
    return crc32(_bytes(output), crc32(b"%d\n" % run)).to_bytes(4)


def checksum_of_version_2(run: int, output: Any) -> bytes:
    """Return the checksum of ledger versions 2 and 3: 8 bytes of BLAKE2b, which take ten times as long."""
    return blake2b(b"%d\n%b" % (run, _bytes(output)), digest_size=8).digest()


def is_intact(run: Any, output: Any, stored: Any) -> bool:
    """Return True if an output is the one that the checksum was computed from."""
    return isinstance(run, int) and isinstance(output, bytes) and stored == checksum(run, output)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
