"""One pass over a table's keys: the number of distinct tasks, their states, and those to submit.

A key is 16 bytes in a column, never a Python object that stays in memory. Keys that do not fit into the given memory
are spilled to temporary files and processed in parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.ledger import Ledger
from rowcite.model import ACTIVE, RowStatus, RunState, Task, TaskKey
from rowcite.table.reader import Batch

_ENTRY = pl.Schema({"high": pl.UInt64, "low": pl.UInt64, "batch": pl.UInt32, "place": pl.UInt32})
_STATE = pl.Schema({"high": pl.UInt64, "low": pl.UInt64, "state": pl.UInt8})
_TODO = pl.Schema({"batch": pl.UInt32, "place": pl.UInt32, "high": pl.UInt64, "unsure": pl.Boolean})
_KEY = ["high", "low"]
_WORK = 6
"""Deduplicating and joining entries takes this many times their memory."""
_ENTRY_BYTES = 24
_LOOKUP = 20_000
_ABSENT, _FAILED, _ACTIVE, _COMPLETED = 0, 1, 2, 3
_RANKS = {RunState.COMPLETED: _COMPLETED, **dict.fromkeys(ACTIVE, _ACTIVE)}


@dataclass(frozen=True, slots=True)
class Survey:
    """The rows and tasks of a table, by state.

    `todo` has a row for each task to submit, and for each active one (`unsure`: its run may turn out never to have been
    created): number of the batch, place among the batch's tasks, and the first half of the key.
    """

    rows: int
    skipped: int
    too_large: int
    tasks: int
    answered: int
    active: int
    failed: int
    to_submit: int
    sample: Task | None
    todo: pl.DataFrame


def survey(batches: Iterable[Batch], ledger: Ledger, *, not_before: float, again: bool, room: int) -> Survey:
    """Read a table's batches once and count its tasks by state.

    Answers from before `not_before` (Unix seconds) do not count. With `again`, failed tasks are to be submitted.
    `room` limits the memory, in bytes.
    """
    statuses: Counter[str | None] = Counter()
    sample: Task | None = None
    with TemporaryDirectory(prefix="rowcite-", ignore_cleanup_errors=True) as folder:
        entries = _Frames(Path(folder) / "keys", _ENTRY, room // _WORK)
        for number, batch in enumerate(batches):
            statuses += batch.statuses
            entries.add(_entries(number, batch))
            sample = sample or next((Task(key, text) for key, text in batch.tasks.items()), None)
        states = _States(ledger, entries.height, not_before, Path(folder) / "states", room // _WORK)
        counts: Counter[int] = Counter()
        todo = [pl.DataFrame(schema=_TODO)]
        parts = -(-(entries.height + states.height) * _ENTRY_BYTES * _WORK // room) or 1
        for part in range(parts):
            firsts = entries.part(part, parts).unique(_KEY, keep="first", maintain_order=True)
            tasks = states.of(firsts, part, parts)
            counts.update(dict(tasks["state"].value_counts().iter_rows()))
            todo.append(_to_do(tasks, again=again))
    failed = 0 if again else counts[_FAILED]
    return Survey(
        rows=statuses.total(),
        skipped=statuses[RowStatus.SKIPPED],
        too_large=statuses[RowStatus.FAILED],
        tasks=counts.total(),
        answered=counts[_COMPLETED],
        active=counts[_ACTIVE],
        failed=failed,
        to_submit=counts[_ABSENT] + counts[_FAILED] - failed,
        sample=sample,
        todo=pl.concat(todo).sort("batch", "place"),
    )


def _to_do(tasks: pl.DataFrame, *, again: bool) -> pl.DataFrame:
    state = pl.col("state")
    submit = state.is_in([_ABSENT, _FAILED] if again else [_ABSENT])
    unsure = state == _ACTIVE
    return tasks.filter(submit | unsure).select("batch", "place", "high", unsure.alias("unsure"))


def tasks_to_do(batches: Iterable[Batch], found: Survey) -> Iterator[tuple[list[Task], list[Task]]]:
    """Read the table's batches again; yield the tasks to submit of each, and the active ones.

    Raises:
        TableError: the table is not the one that was surveyed.
    """
    if found.todo.is_empty():
        return
    places = {int(number): part for (number,), part in found.todo.group_by("batch", maintain_order=True)}
    for number, batch in enumerate(batches):
        part = places.pop(number, None)
        if part is None:
            continue
        if not _has_entries(_entries(number, batch), part):
            raise TableError(
                "the table changed while it was read. Run again when no other program writes to it"
            )
        tasks = [Task(key, text) for key, text in batch.tasks.items()]
        picked = [(tasks[place], unsure) for place, unsure in part.select("place", "unsure").iter_rows()]
        yield [task for task, unsure in picked if not unsure], [task for task, unsure in picked if unsure]
        if not places:
            return


def _has_entries(entries: pl.DataFrame, part: pl.DataFrame) -> bool:
    """Return True if a batch has the tasks that were found in it."""
    last: int = part.select(pl.max("place")).item()
    return last < entries.height and entries["high"].gather(part["place"]).equals(part["high"])


def _entries(number: int, batch: Batch) -> pl.DataFrame:
    keys = pl.Series(list(batch.tasks), dtype=pl.Binary)
    return _halves(keys).with_columns(
        pl.lit(number, pl.UInt32).alias("batch"), pl.int_range(pl.len(), dtype=pl.UInt32).alias("place")
    )


def _halves(keys: pl.Series) -> pl.DataFrame:
    """Split each key into two numbers: columns of numbers are small and fast to compare."""
    return keys.to_frame("key").select(
        pl.col("key").bin.slice(0, 8).bin.reinterpret(dtype=pl.UInt64).alias("high"),
        pl.col("key").bin.slice(8, 8).bin.reinterpret(dtype=pl.UInt64).alias("low"),
    )


class _Frames:
    """Rows of numbers, in memory up to `room` bytes, beyond that in temporary files."""

    def __init__(self, folder: Path, schema: pl.Schema, room: int) -> None:
        self._folder, self._room = folder, room
        self._held = [pl.DataFrame(schema=schema)]
        self._bytes = self._files = 0
        self.height = 0

    def add(self, frame: pl.DataFrame) -> None:
        self._held.append(frame)
        self._bytes += int(frame.estimated_size())
        self.height += frame.height
        if self._bytes > self._room:
            self._folder.mkdir(exist_ok=True)
            pl.concat(self._held).write_ipc(self._folder / f"{self._files:06}.arrow")
            self._files += 1
            self._held, self._bytes = [self._held[0].clear()], 0

    def part(self, part: int, parts: int) -> pl.DataFrame:
        """Return one of several parts. Equal keys are in the same part."""
        mine = pl.col("low") % parts == part if parts > 1 else pl.lit(value=True)
        files = [
            pl.read_ipc(self._folder / f"{number:06}.arrow").filter(mine) for number in range(self._files)
        ]
        return pl.concat([*files, *(frame.filter(mine) for frame in self._held)])


class _States:
    """The states of tasks: looked up by key, or scanned in order if most of the ledger is needed."""

    def __init__(self, ledger: Ledger, wanted: int, not_before: float, folder: Path, room: int) -> None:
        self._ledger, self._not_before = ledger, not_before
        runs = ledger.run_count()
        self._known: _Frames | None = None
        self.height = 0
        if wanted * 8 > runs > _LOOKUP:
            self._known = _Frames(folder, _STATE, room)
            for state, keys in ledger.scan_states(not_before=not_before):
                self._known.add(_joined(keys).with_columns(_rank(state)))
            self.height = self._known.height

    def of(self, firsts: pl.DataFrame, part: int, parts: int) -> pl.DataFrame:
        """Return entries with the state of each, 0 for a task that is not in the ledger."""
        if self._known is not None:
            ranks = self._known.part(part, parts).group_by(_KEY).agg(pl.col("state").max())
        else:
            ranks = pl.concat(
                [
                    pl.DataFrame(schema=_STATE),
                    *map(_ranked, self._looked_up(firsts)),
                ]
            )
        return firsts.join(ranks, on=_KEY, how="left", maintain_order="left").with_columns(
            pl.col("state").fill_null(_ABSENT)
        )

    def _looked_up(self, firsts: pl.DataFrame) -> Iterator[dict[bytes, RunState]]:
        keys = (_bytes(high, low) for high, low in firsts.select(_KEY).iter_rows())
        while some := list(islice(keys, _LOOKUP)):
            yield self._ledger.task_states(some, not_before=self._not_before)


def _bytes(high: int, low: int) -> TaskKey:
    return TaskKey(high.to_bytes(8, "little") + low.to_bytes(8, "little"))


def _joined(keys: bytes) -> pl.DataFrame:
    """Return the halves of keys that are joined to one text."""
    numbers = pa.Array.from_buffers(pa.uint64(), len(keys) // 8, [None, pa.py_buffer(keys)])
    halves = pl.Series(numbers)
    return pl.DataFrame({"high": halves.gather_every(2), "low": halves.gather_every(2, 1)})


def _rank(state: RunState) -> pl.Expr:
    return pl.lit(_RANKS.get(state, _FAILED), pl.UInt8).alias("state")


def _ranked(states: dict[bytes, RunState]) -> pl.DataFrame:
    ranks = [_RANKS.get(state, _FAILED) for state in states.values()]
    return _halves(pl.Series(list(states), dtype=pl.Binary)).with_columns(
        pl.Series("state", ranks, dtype=pl.UInt8)
    )
