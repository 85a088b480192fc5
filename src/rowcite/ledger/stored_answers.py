"""How an answer is stored: compressed where that is shorter, with a checksum of the stored bytes.

The checksum shows that the disk, or a person, changed what was stored. The bytes that the API sent come back unchanged.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b, sha1
from typing import Any

_MARK = b"L"
"""How a compressed answer begins: an LZ4 block after its length (4 bytes, little-endian). No JSON begins with it."""
_HEAD = 5  # bytes before the block
_SHORT = 256  # bytes: what is shorter is hardly compressed
_LONGEST = 1 << 30  # bytes: LZ4 blocks and SQLite's values end at 2 and at 1 GB


def stored(output: bytes) -> bytes:
    """Return the form in which an output is stored."""
    if not _SHORT <= len(output) < _LONGEST:
        return output
    block: bytes = _codec().compress(output, asbytes=True)
    return (
        b"%b%b%b" % (_MARK, len(output).to_bytes(4, "little"), block)
        if len(block) + _HEAD < len(output)
        else output
    )


def received(form: bytes) -> bytes:
    """Return the output as it was received.

    Raises:
        ValueError: the bytes are not what `stored` returns.
    """
    if not form.startswith(_MARK):
        return form
    size = int.from_bytes(form[1:_HEAD], "little")
    if size > 255 * len(form):  # the most that LZ4 compresses; `decompress` would take the memory first
        raise ValueError("the stored answer is not compressed as its length says")
    try:
        output: bytes = _codec().decompress(form[_HEAD:], size, asbytes=True)
    except OSError as error:
        raise ValueError(str(error)) from error
    return output


def checksum(run: int, form: Any) -> bytes:
    """Return the first 8 bytes of SHA-1 of a run's id in the ledger and its stored output. SQL calls it `answer_checksum`."""
    return sha1(b"%d\n%b" % (run, _bytes(form)), usedforsecurity=False).digest()[:8]


def checksum_of_version_2(run: int, output: Any) -> bytes:
    """Return the checksum of ledger versions 2 and 3: 8 bytes of BLAKE2b, which take nearly twice as long."""
    return blake2b(b"%d\n%b" % (run, _bytes(output)), digest_size=8).digest()


def intact(run: Any, form: Any, expected: Any) -> bytes | None:
    """Return the output of a run as it was received; None if its stored form is not the one that the checksum is of."""
    if not (isinstance(run, int) and isinstance(form, bytes) and expected == checksum(run, form)):
        return None
    try:
        return received(form)
    except ValueError:  # not for a disk, whose damage the checksum shows, but for a hand that computed it
        return None


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@cache
def _codec() -> Any:
    import pyarrow as pa

    return pa.Codec("lz4_raw")
