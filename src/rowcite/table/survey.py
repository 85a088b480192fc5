"""One pass over a table's keys: how many distinct tasks there are, where they stand, and which are to be submitted.

A key is 16 bytes in a column, never a Python object that stays. What does not fit into the memory that is given goes to
a temporary file and is looked at in parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from rowcite.errors import TableError
from rowcite.ledger import Ledger
from rowcite.model import RowStatus, RunState, Task, TaskKey
from rowcite.table.reader import Batch

_ENTRY = pl.Schema({"high": pl.UInt64, "low": pl.UInt64, "batch": pl.UInt32, "place": pl.UInt32})
_STATE = pl.Schema({"high": pl.UInt64, "low": pl.UInt64, "state": pl.UInt8})
_KEY = ["high", "low"]
_WORK = 6
"""So many times the memory of the entries is needed to sort them out."""
_LOOKUP = 20_000
_FAILED, _UNDER_WAY, _COMPLETED = 1, 2, 3
_RANKS = {
    RunState.COMPLETED: _COMPLETED,
    RunState.INTENDED: _UNDER_WAY,
    RunState.SUBMITTED: _UNDER_WAY,
}


@dataclass(frozen=True, slots=True)
class Survey:
    """What a table holds and what is to be done about it.

    `todo` has a row for each task that is to be submitted, or may be (`unsure`: it is under way, as far as the ledger
    knows): number of the batch, place among the batch's tasks, and the first half of the key.
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
    """Read a table's batches once.

    `since`: an answer from before (Unix seconds) does not count. `again`: what ended badly is asked again. `room` is the
    bytes of memory to keep to.
    """
    statuses: Counter[str] = Counter()
    sample: Task | None = None
    with TemporaryDirectory(prefix="rowcite-", ignore_cleanup_errors=True) as folder:
        entries = _Frames(Path(folder) / "keys", _ENTRY, room // _WORK)
        for number, batch in enumerate(batches):
            statuses.update(status or "asked" for status in batch.status)
            entries.add(_entries(number, batch))
            sample = sample or next((Task(key, text) for key, text in batch.tasks.items()), None)
        states = _States(ledger, entries.height, not_before, Path(folder) / "states", room // _WORK)
        counts: Counter[int] = Counter()
        todo = [
            pl.DataFrame(
                schema={"batch": pl.UInt32, "place": pl.UInt32, "high": pl.UInt64, "unsure": pl.Boolean}
            )
        ]
        parts = -(-(entries.height + states.height) * _ENTRY_BYTES * _WORK // room) or 1
        for part in range(parts):
            firsts = entries.part(part, parts).unique(_KEY, keep="first", maintain_order=True)
            found = states.of(firsts, part, parts)
            counts.update(dict(found["state"].value_counts().iter_rows()))
            wanted = (pl.col("state") == 0) | ((pl.col("state") == _FAILED) if again else pl.lit(value=False))
            unsure = pl.col("state") == _UNDER_WAY
            todo.append(
                found.filter(wanted | unsure).select("batch", "place", "high", unsure.alias("unsure"))
            )
    failed = 0 if again else counts[_FAILED]
    return Survey(
        rows=statuses.total(),
        skipped=statuses[RowStatus.SKIPPED],
        too_large=statuses[RowStatus.FAILED],
        tasks=counts.total(),
        answered=counts[_COMPLETED],
        active=counts[_UNDER_WAY],
        failed=failed,
        to_submit=counts[0] + counts[_FAILED] - failed,
        sample=sample,
        todo=pl.concat(todo).sort("batch", "place"),
    )


def tasks_to_do(batches: Iterable[Batch], found: Survey) -> Iterator[tuple[list[Task], list[Task]]]:
    """Read the table's batches again; yield of each the tasks that are to be submitted, and those that may be.

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
        held = _entries(number, batch)
        if part["place"].max() >= held.height or not held["high"].gather(part["place"]).equals(part["high"]):  # type: ignore[operator]
            raise TableError("the table changed while it was read. Run again when nobody writes to it")
        tasks = [Task(key, text) for key, text in batch.tasks.items()]
        picked = [(tasks[place], unsure) for place, unsure in part.select("place", "unsure").iter_rows()]
        yield [task for task, unsure in picked if not unsure], [task for task, unsure in picked if unsure]
        if not places:
            return


_ENTRY_BYTES = 24


def _entries(number: int, batch: Batch) -> pl.DataFrame:
    keys = pl.Series(list(batch.tasks), dtype=pl.Binary)
    return _halves(keys).with_columns(
        pl.lit(number, pl.UInt32).alias("batch"), pl.int_range(pl.len(), dtype=pl.UInt32).alias("place")
    )


def _halves(keys: pl.Series) -> pl.DataFrame:
    """Split keys into two numbers each: columns of numbers are small and quick to compare."""
    return keys.to_frame("key").select(
        pl.col("key").bin.slice(0, 8).bin.reinterpret(dtype=pl.UInt64).alias("high"),
        pl.col("key").bin.slice(8, 8).bin.reinterpret(dtype=pl.UInt64).alias("low"),
    )


class _Frames:
    """Rows of numbers, in memory up to `room` bytes, beyond that in files."""

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
        """Return one of so many parts: equal keys are in the same one."""
        mine = pl.col("low") % parts == part if parts > 1 else pl.lit(value=True)
        files = [
            pl.read_ipc(self._folder / f"{number:06}.arrow").filter(mine) for number in range(self._files)
        ]
        return pl.concat([*files, *(frame.filter(mine) for frame in self._held)])


class _States:
    """Where tasks stand: looked up one by one, or read in a row when that is most of the ledger anyway."""

    def __init__(self, ledger: Ledger, wanted: int, not_before: float, folder: Path, room: int) -> None:
        self._ledger, self._not_before = ledger, not_before
        runs = ledger.run_count()
        self._known: _Frames | None = None
        self.height = 0
        if wanted * 8 > runs > _LOOKUP:
            self._known = _Frames(folder, _STATE, room)
            for some in ledger.scan_states(not_before=not_before):
                self._known.add(_ranked(some))
            self.height = self._known.height

    def of(self, firsts: pl.DataFrame, part: int, parts: int) -> pl.DataFrame:
        """Return entries with the state of each: 0 where nothing stands."""
        if self._known is not None:
            ranks = self._known.part(part, parts).group_by(_KEY).agg(pl.col("state").max())
        else:
            ranks = pl.concat(
                [pl.DataFrame(schema=_STATE), *(_ranked(some) for some in self._looked_up(firsts))]
            )
        return firsts.join(ranks, on=_KEY, how="left", maintain_order="left").with_columns(
            pl.col("state").fill_null(0)
        )

    def _looked_up(self, firsts: pl.DataFrame) -> Iterator[dict[bytes, RunState]]:
        keys = (_bytes(high, low) for high, low in firsts.select(_KEY).iter_rows())
        while some := list(islice(keys, _LOOKUP)):
            yield self._ledger.task_states(some, not_before=self._not_before)


def _bytes(high: int, low: int) -> TaskKey:
    return TaskKey(high.to_bytes(8, "little") + low.to_bytes(8, "little"))


def _ranked(states: dict[bytes, RunState]) -> pl.DataFrame:
    ranks = pl.Series("state", [_RANKS.get(state, _FAILED) for state in states.values()], dtype=pl.UInt8)
    return _halves(pl.Series(list(states), dtype=pl.Binary)).with_columns(ranks)
