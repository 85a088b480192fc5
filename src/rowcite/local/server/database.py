"""The SQLite file of runs and groups, with which a new server continues after an old one was killed.

Every change is in the file before the answer that shows it is sent. MCP headers are never written.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from rowcite.errors import UsageError
from rowcite.files import create_private
from rowcite.local.server.shapes import Error, Metadata, RunInput, RunWarning
from rowcite.local.server.sse import without_headers
from rowcite.local.server.store import Changes, Ending, Group, Output, Run, Store
from rowcite.local.server.validation import AcceptedRun, read_spec

FILE = "rowcite-server.sqlite"
VERSION = 2
_SCHEMA = """
create table runs (
  number integer primary key, id text unique not null, group_id text, request blob not null, warnings blob not null,
  betas blob not null, status text not null, created_at text not null, modified_at text not null, started_at text,
  starts real not null, ends real not null, webhook_done integer not null,
  body blob, considered integer, read blob, error blob
) strict;
create table groups (
  number integer primary key, id text unique not null, metadata blob not null, created_at text not null,
  modified_at text not null, last_status real not null
) strict;
create table log (
  group_id text not null, number integer not null, run_id text, status blob, primary key (group_id, number)
) strict, without rowid;
"""
_PUT_RUN = """
insert into runs (id, group_id, request, warnings, betas, status, created_at, modified_at, started_at, starts, ends,
                  webhook_done, body, considered, read, error)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (id) do update set
  status = excluded.status, modified_at = excluded.modified_at, started_at = excluded.started_at,
  webhook_done = excluded.webhook_done, body = excluded.body, considered = excluded.considered, read = excluded.read,
  error = excluded.error
"""
_PUT_GROUP = """
insert into groups (id, metadata, created_at, modified_at, last_status) values (?, ?, ?, ?, ?)
on conflict (id) do update set modified_at = excluded.modified_at, last_status = excluded.last_status
"""

_log = logging.getLogger(__name__)
_encode = msgspec.json.encode


class Database:
    """The file of one server. Raises `UsageError` if it cannot be used, or another server uses it."""

    def __init__(self, folder: Path) -> None:
        self._closed = False
        self._logged: dict[str, int] = {}  # entries of each group's log that are in the file
        try:
            folder.mkdir(parents=True, exist_ok=True)
            create_private(folder / FILE)  # inputs and answers; SQLite gives its other files the same mode
            self._file = sqlite3.connect(
                folder / FILE, timeout=0.5, check_same_thread=False, isolation_level=None
            )
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            used = getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            hint = (
                "Another server is using it: stop that one or" if used else "Make room, repair the folder or"
            )
            raise UsageError(f"--data {folder}: {error}. {hint} name another folder") from error

    def restore(self, store: Store) -> list[Run]:
        """Load the file into a store, which records its changes from now on; return the active runs."""
        groups = {
            row[0]: _group(row)
            for row in self._rows("groups", "id, metadata, created_at, modified_at, last_status")
        }
        runs = {row[0]: _run(row, groups) for row in self._rows("runs", _RUN_COLUMNS)}
        for group_id, run_id, status in self._file.execute(
            "select group_id, run_id, status from log order by group_id, number"
        ):
            groups[group_id].log.append(runs[run_id] if status is None else status)
        self._logged = {group.id: len(group.log) for group in groups.values()}
        store.changes = Changes()
        return store.restore(groups.values(), runs.values())

    def save(self, store: Store) -> None:
        """Write the changes in one transaction. If that fails, they are written with the next ones."""
        changes = store.changes
        if self._closed or changes is None or not (changes.runs or changes.groups):
            return
        try:
            self._write(changes)
        except sqlite3.Error:
            self._file.rollback()
            _log.exception(
                "%d runs could not be written; they are in memory only until the next write succeeds",
                len(changes.runs),
            )
            return
        self._logged.update({group.id: len(group.log) for group in changes.groups.values()})
        store.changes = Changes()

    def close(self) -> None:
        """Close the file. Another server may then open it, and nothing more is saved."""
        self._closed = True
        self._file.close()

    def _prepare(self) -> None:
        # The lock lasts as long as this process. With WAL and NORMAL a killed process loses nothing; a power cut may
        # lose the last moments.
        self._file.execute("pragma locking_mode = exclusive")
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = normal")
        (version,) = self._file.execute("pragma user_version").fetchone()
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"the file has version {version}; this server reads {VERSION}")
        if version == 0:
            self._file.executescript(f"begin; {_SCHEMA} pragma user_version = {VERSION}; commit;")

    def _rows(self, table: str, columns: str) -> Iterable[Any]:
        return self._file.execute(f"select {columns} from {table} order by number")  # noqa: S608  # constants of this file

    def _write(self, changes: Changes) -> None:
        self._file.execute("begin immediate")
        self._file.executemany(_PUT_GROUP, map(_group_row, changes.groups.values()))
        self._file.executemany(_PUT_RUN, map(_run_row, changes.runs.values()))
        self._file.executemany(
            "insert into log (group_id, number, run_id, status) values (?, ?, ?, ?)",
            (row for group in changes.groups.values() for row in self._new_entries(group)),
        )
        self._file.execute("commit")

    def _new_entries(self, group: Group) -> Iterable[tuple[Any, ...]]:
        for number in range(self._logged.get(group.id, 0), len(group.log)):
            entry = group.log[number]
            yield (
                (group.id, number, None, entry)
                if isinstance(entry, bytes)
                else (group.id, number, entry.id, None)
            )


_RUN_COLUMNS = (
    "id, group_id, request, warnings, betas, status, created_at, modified_at, started_at, starts, ends, "
    "webhook_done, body, considered, read, error"
)


def _run_row(run: Run) -> tuple[Any, ...]:
    accepted, ending = run.accepted, run.ending
    output = ending.output if ending else None
    return (
        run.id,
        run.group.id if run.group else None,
        _encode(without_headers(accepted.request)),
        _encode(accepted.warnings),
        _encode(sorted(accepted.betas)),
        run.status,
        run.created_at,
        run.modified_at,
        run.started_at,
        run.starts,
        run.ends,
        run.webhook_done,
        output.body if output else None,
        output.considered if output else None,
        _encode(output.read) if output else None,
        _encode(ending.error) if ending and ending.error else None,
    )


def _group_row(group: Group) -> tuple[Any, ...]:
    return group.id, _encode(group.metadata), group.created_at, group.modified_at, group.last_status


def _group(row: tuple[Any, ...]) -> Group:
    group_id, metadata, created_at, modified_at, last_status = row
    read = msgspec.json.decode(metadata, type=Metadata | None)
    return Group(group_id, read, created_at, modified_at, last_status=last_status)


def _run(row: tuple[Any, ...], groups: dict[str, Group]) -> Run:
    run_id, group_id, request, warnings, betas, status, created, modified, started, starts, ends, done = row[
        :12
    ]
    run_input = msgspec.json.decode(request, type=RunInput)
    accepted = AcceptedRun(
        run_input,
        read_spec(bytes(run_input.task_spec)),
        msgspec.json.decode(warnings, type=tuple[RunWarning, ...]),
        msgspec.json.decode(betas, type=frozenset[str]),
    )
    run = Run(run_id, accepted, groups.get(group_id), created, modified, starts, ends, status)
    run.started_at, run.webhook_done = started, bool(done)
    run.ending = None if run.active else _ending(status, *row[12:])
    return run


def _ending(status: str, body: bytes | None, considered: int, read: bytes, error: bytes | None) -> Ending:
    output = (
        Output(body, considered, msgspec.json.decode(read, type=tuple[str, ...]))
        if body is not None
        else None
    )
    return Ending(status, output, msgspec.json.decode(error, type=Error) if error else None)
