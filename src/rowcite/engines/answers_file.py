"""The answers of one part in a file: what resolving reads of the ledger, sorted by key, for a worker that has no ledger.

The file has the runs of one task after another, then people's decisions, then each key with the place of its runs. A worker maps
the file into memory and finds a key by halving, so that its own memory does not grow with the answers.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import msgspec

from rowcite.files import atomic_write, write_errors
from rowcite.model import Decision, StoredRun
from rowcite.rows.resolver import CHUNK, RunStore

_KEY, _PLACE = 16, struct.Struct("<Q")
_ENTRY = _KEY + _PLACE.size
_END = struct.Struct("<QQ")  # the place of the decisions, and the number of keys
_Decisions = dict[bytes, dict[str, Decision]]
_RUNS, _DECISIONS = msgspec.msgpack.Decoder(list[StoredRun]), msgspec.msgpack.Decoder(_Decisions)


def write_answers(file: Path, runs: RunStore, keys: Iterable[bytes]) -> tuple[str, int]:
    """Write the runs and decisions of some tasks, in ascending order of their keys. Return the digest of the file, and its size."""
    digest, keys, index = hashlib.sha256(), iter(keys), bytearray()
    decisions: _Decisions = {}
    place = 0
    with write_errors(str(file)), atomic_write(file, private=True) as stream:

        def add(content: bytes) -> None:
            digest.update(content)
            stream.write(content)

        while some := list(islice(keys, CHUNK)):
            stored = {found[0].key: found for found in runs.runs_by_task(some)}
            decisions.update({key: dict(made) for key, made in runs.decisions(some).items()})
            for key in sorted(stored):
                content = msgspec.msgpack.encode([_without_time(run) for run in stored[key]])
                index += key + _PLACE.pack(place)
                place += len(content)
                add(content)
        add(msgspec.msgpack.encode(dict(sorted(decisions.items()))))
        add(bytes(index))
        add(_END.pack(place, len(index) // _ENTRY))
        return digest.hexdigest(), stream.tell()


def _without_time(run: StoredRun) -> StoredRun:
    """Return a run without the time of its end, which decides no cell, and which the command that recorded it knows as infinity."""
    return run._replace(ended_at=0.0, first=bool(run.first))  # a number in SQLite


class StoredAnswers:
    """The answers of a file of `write_answers`, as the ledger would return them."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        size = len(self._bytes) - _END.size
        self._runs_end, self._count = _END.unpack(self._bytes[size:])
        self._index = size - self._count * _ENTRY
        self._decisions = _DECISIONS.decode(self._bytes[self._runs_end : self._index])

    def runs_by_task(self, keys: Iterable[bytes]) -> Iterator[list[StoredRun]]:
        """Yield every run of each task that has one, oldest first."""
        for key in keys:
            at = bisect_left(range(self._count), key, key=self._key)
            if at < self._count and self._key(at) == key:
                end = self._place(at + 1) if at + 1 < self._count else self._runs_end
                yield _RUNS.decode(self._bytes[self._place(at) : end])

    def decisions(self, keys: Iterable[bytes]) -> Mapping[bytes, Mapping[str, Decision]]:
        """Return people's decisions on these tasks, by task and field."""
        return {key: self._decisions[key] for key in keys if key in self._decisions}

    def _key(self, at: int) -> bytes:
        start = self._index + at * _ENTRY
        return self._bytes[start : start + _KEY]

    def _place(self, at: int) -> int:
        (place,) = _PLACE.unpack_from(self._bytes, self._index + at * _ENTRY + _KEY)
        return int(place)
