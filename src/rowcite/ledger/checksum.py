"""The checksum of an answer: it shows that the disk, or a person, changed what was received."""

from __future__ import annotations

from hashlib import blake2b, sha1
from typing import Any


def checksum(run: int, output: Any) -> bytes:
    """Return the first 8 bytes of SHA-1 of a run's id in the ledger and its output. SQL calls it `answer_checksum`."""
    digest = sha1(b"%d\n" % run, usedforsecurity=False)
    digest.update(_bytes(output))
    return digest.digest()[:8]


def checksum_of_version_2(run: int, output: Any) -> bytes:
    """Return the checksum of ledger versions 2 and 3: 8 bytes of BLAKE2b, which take nearly twice as long."""
    return blake2b(b"%d\n%b" % (run, _bytes(output)), digest_size=8).digest()


def is_intact(run: Any, output: Any, stored: Any) -> bool:
    """Return True if an output is the one that the checksum was computed from."""
    return isinstance(run, int) and isinstance(output, bytes) and stored == checksum(run, output)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
