"""Where a finished table goes: a table is never replaced by a poorer one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from rowcite.errors import TableError
from rowcite.model import ANSWERED_ROWS
from rowcite.spec.models import CsvOptions
from rowcite.table.columns import STATUS_COLUMNS
from rowcite.table.sources import COMPRESSED, Source, format_of, open_source
from rowcite.table.sources.jsonl_files import text_values

_STATUS, _RUN_IDS = STATUS_COLUMNS[0], STATUS_COLUMNS[-1]
_SAMPLE = 1_000
_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class NewTable:
    """A table whose rows are all written, before it has its place.

    `answered` counts the rows that are completed or rejected. `complete`: the command ends with 0 and had no `--limit`.
    `replace`: the user chose to replace any table.
    """

    answered: int = 0
    complete: bool = True
    replace: bool = False


class Existing(NamedTuple):
    """The file in the place of a new table. `own` is true if rowcite wrote it, `answered` counts its answered rows.

    `readable` is false for an object whose store does not let it be read.
    """

    own: bool
    answered: int = 0
    readable: bool = True


class Decision(NamedTuple):
    """Whether a new table takes the place of the existing one, and the reason if the user needs to know it."""

    in_place: bool
    reason: str | None = None


def decide(new: NewTable, existing: Existing | None) -> Decision:
    """Return whether a new table replaces the existing one; None means that there is no file."""
    if existing is None or new.replace:
        return Decision(in_place=True)
    if not existing.readable:
        return Decision(new.complete, "it cannot be read, so its answered rows are not known")
    if not existing.own:
        return Decision(new.complete, "it has no rowcite_status column, so rowcite did not write it")
    if new.complete or new.answered >= existing.answered:
        return Decision(in_place=True)
    return Decision(
        in_place=False,
        reason=f"it has {existing.answered:,} answered rows, and the new table {new.answered:,}",
    )


class Replacement:
    """Chooses the place of a new table when its rows are written.

    `new` is called then. `existing` and `remove` find and remove a table on this machine that is not a file: see `existing_file`. Afterwards `place` is where the table is, None if it was not written; `in_place` is true if that
    is the output; and `warning` is what the user needs to know.
    """

    def __init__(
        self,
        new: Callable[[], NewTable] = NewTable,
        existing: Callable[[str, str, bool], Existing | None] | None = None,
        remove: Callable[[str], None] | None = None,
    ) -> None:
        self._new, self._existing = new, existing or existing_file
        self._remove = remove or _unlink
        self.in_place = True
        self.place: str | None = None
        self.warning: str | None = None

    def choose(self, path: str, source: Source) -> str | None:
        """Return the place for a table that was written for `path`; None if there is none. `source` is its input."""
        new, separator = self._new(), _separator(source)
        decision = decide(new, self._existing(path, separator, not new.complete))
        self.in_place = decision.in_place
        if self.in_place:
            self.place = path
            self.warning = f"{path} was replaced, although {decision.reason}" if decision.reason else None
            return path
        self.place = partial_path(path)
        before = self._existing(self.place, separator, False)
        where = f"The new table is {self.place}"
        if before is not None and before.readable and not before.own:
            where = f"{self.place} was not written by rowcite either, so no table is written"
            self.place = None
        self.warning = f"{path} is kept: {decision.reason}. {where}. Give --replace to write it in place"
        return self.place

    def remove_partial(self, source: Source) -> None:
        """Remove the partial table of an earlier command, if the new table has replaced the output."""
        if not self.in_place or self.place is None:
            return
        partial = partial_path(self.place)
        found = self._existing(partial, _separator(source), False)
        if found is None or not found.own:
            return
        if "://" in partial:
            from rowcite.table.sources.cloud import delete

            with suppress(TableError):  # the table is in its place, so a partial one beside it does no harm
                delete(partial)
        else:
            with suppress(OSError):
                self._remove(partial)


def partial_path(path: str) -> str:
    """Return the path of the table that does not replace a richer one: `x.partial.csv.gz` for `x.csv.gz`, `x.partial/` for `x/`."""
    if path.endswith("/"):
        return f"{path.rstrip('/')}.partial/"
    folder, slash, name = path.rpartition("/")
    plain = Path(name)
    packed = plain.suffix if plain.suffix.lower() in COMPRESSED else ""
    plain = Path(name.removesuffix(packed))
    return f"{folder}{slash}{plain.stem}.partial{plain.suffix}{packed}"


def _separator(source: Source) -> str:
    """Return the separator of a CSV output, which is that of a CSV input."""
    return source.separator if source.format == "csv" else ","


def _unlink(path: str) -> None:
    Path(path).unlink()


def existing_file(path: str, separator: str, count: bool) -> Existing | None:  # noqa: FBT001 - by place in a Callable
    """Return the file at a path, None if there is none or it is empty. Its answered rows are counted on request."""
    try:
        if not _exists(path):
            return None
    except TableError:
        return Existing(own=False, readable=False)
    answered, own = 0, False
    try:
        for statuses in _texts(path, separator, _STATUS):
            own = True
            if not count:
                break
            answered += int(statuses.is_in(list(ANSWERED_ROWS)).sum())
    except TableError:  # rowcite did not write it, or something else has damaged it
        return Existing(own=False)
    return Existing(own, answered)


def _exists(path: str) -> bool:
    if "://" in path:
        from rowcite.table.sources.cloud import exists

        return exists(path)
    with suppress(OSError):
        return Path(path).stat().st_size > 0
    return False


def data_files(folder: Path) -> list[Path]:
    """Return the files of tables in a folder and below it, in the order of their paths, but those that readers of folders skip."""
    files = [file for file in folder.rglob("*") if format_of(file) is not None and file.is_file()]
    return sorted(
        file for file in files if not any(name[0] in "._" for name in file.relative_to(folder).parts)
    )


def sample_run_ids(path: str, source: Source) -> list[str]:
    """Return ids of runs that the table at a path names, at most a thousand of all its rows; none of a table that is not rowcite's."""
    found = pl.Series("id", dtype=pl.String)
    with suppress(TableError):
        if "://" not in path and Path(path).is_dir():
            path = str(next(iter(data_files(Path(path))), ""))  # the other parts name runs of the same ledger
        for texts in _texts(path, _separator(source), _RUN_IDS) if _exists(path) else ():
            ids = pl.concat(
                [found, texts.alias("id").drop_nulls().str.split(" ").explode(empty_as_null=False)]
            ).unique()
            found = ids.to_frame().bottom_k(_SAMPLE, by=pl.col("id").hash())["id"]
    return [run_id for run_id in found.to_list() if run_id]


def _texts(path: str, separator: str, column: str) -> Iterator[pl.Series]:
    """Yield a column of a table as texts, some rows at a time, and at least one series; nothing for a table without it."""
    if format_of(path) == "jsonl" and "://" not in path:
        yield from text_values(
            Path(path), column
        )  # without the types of all members, which take long to infer
        return
    source = _with_column(path, separator, column)
    if source is None:
        return
    yield pl.Series(dtype=pl.String)
    for rows in source.batches():
        yield rows.frame[column].cast(pl.String, strict=False)


def _with_column(path: str, separator: str, column: str) -> Source | None:
    """Return a table with a column, None for a table without it.

    A CSV of an earlier command may have another separator than the input has now.
    """
    others = dict.fromkeys([separator, *_SEPARATORS]) if format_of(path) == "csv" else {None: None}
    for each in others:
        source = open_source(path, None, CsvOptions(separator=each))
        if column in source.schema:
            return source
        if not any(column in name for name in source.schema):
            return None
    return None
