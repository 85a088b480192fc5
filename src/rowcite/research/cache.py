"""Parsed documents kept on disk: a file is read again only when it, what is said of it, or this engine has changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from rowcite.research.document import Document


@dataclass(frozen=True)
class Parsed:
    """What a file came to: its documents, and lines about parts left out."""

    documents: list[Document]
    faults: list[str]


@dataclass(frozen=True)
class Cache:
    """A folder of parsed files, each named by the hash of all that it came from; None keeps nothing."""

    folder: Path | None = None

    def get(self, key: str) -> Parsed | None:
        """Return what is kept under a key; None when nothing usable is."""
        if self.folder is None:
            return None
        try:
            return _decoder.decode(self._path(self.folder, key).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, key: str, parsed: Parsed) -> None:
        """Keep what a file came to; beside first and then renamed, so that no reader meets half a file."""
        if self.folder is None:
            return
        path = self._path(self.folder, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(_encoder.encode(parsed))
        Path(beside).replace(path)

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / key[:2] / f"{key}.msgpack"


def key_of(content: bytes, *said: str) -> str:
    """Return the hash over a file's bytes, what else is said of it, and the engine that reads it."""
    total = hashlib.sha256(_engine())
    for text in said:
        total.update(f"{len(text)}:{text}".encode())
    total.update(content)
    return total.hexdigest()


@cache
def _engine() -> bytes:
    """Return a hash over this room's source: an engine that reads better reads again."""
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total.update(path.read_bytes())
    return total.digest()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Parsed)
