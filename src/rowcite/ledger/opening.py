"""Open a ledger file: created, locked and migrated where needed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import mkstemp

from filelock import FileLock

from rowcite.errors import LedgerError
from rowcite.ledger.lock import acquire, cannot_open, no_locks
from rowcite.ledger.migrations import FORMAT, Format, is_current, migrate
from rowcite.ledger.stored_answers import checksum

_CACHE = 64 << 10  # KiB: SQLite's default of 2 MiB makes every key of a large ledger a read from disk
_LARGEST_CACHE, _KEY_IN_INDEX = 512 << 10, 40  # KiB, and bytes
_PAGE = 16 << 10  # bytes: an answer of 2 KB would leave nearly half of SQLite's default of 4 KiB empty
# Pages between checkpoints: keys are random, so each page of their index is written once for many.
_CHECKPOINT = 2_000
_MODES = ("wal", "memory")  # any other: the file system has no memory that processes can share


def open_file(
    folder: Path, *, writing: bool, wait: float, form: Format = FORMAT
) -> tuple[sqlite3.Connection, FileLock | None, str]:
    """Return a connection, the lock if this process has the ledger for writing, and the ledger's name for errors."""
    file = folder / "ledger.db"
    if not writing:
        return _with_cache(_open_to_read(folder, file, wait, form)), None, str(file)
    lock = acquire(folder, wait)
    with ExitStack() as undo:
        undo.callback(lock.release)
        try:
            if not file.exists():
                _create(folder, form)
            connection = _ready(_connect(str(file), str(file)), str(file), form)
        except OSError as error:
            raise cannot_open(folder, error) from error
        undo.pop_all()
    return _with_cache(connection), lock, str(file)


def _with_cache(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return the connection with a cache for the whole index of keys, which is hit at random, up to a limit."""
    with suppress(sqlite3.Error):  # a damaged file: its first query explains it
        (runs,) = db.execute("SELECT coalesce(max(id), 0) FROM run").fetchone()
        db.execute(f"PRAGMA cache_size = -{min(max(_CACHE, runs * _KEY_IN_INDEX >> 10), _LARGEST_CACHE)}")
    return db


def _create(folder: Path, form: Format) -> None:
    """Create a ledger file with its tables. It appears whole, so an empty file is always a damaged one.

    It never replaces the file of another command that got past the lock.
    """
    descriptor, name = mkstemp(prefix="ledger.new-", dir=folder)
    os.close(descriptor)
    new, file = Path(name), folder / "ledger.db"
    try:
        db = _connect(name, name)
        try:
            migrate(db, name, form)
        finally:
            db.close()
        with suppress(FileExistsError):
            file.hardlink_to(new)
    except OSError:  # a file system without hard links
        if not file.exists():
            new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def open_again(name: str) -> sqlite3.Connection:
    """Return a further connection to a file that `open_file` has opened for writing, for the calling thread."""
    return _ready(_connect(name, name), name, FORMAT)


def _open_to_read(folder: Path, file: Path, wait: float, form: Format) -> sqlite3.Connection:
    if not file.exists():
        return _ready(_connect(":memory:", str(file)), str(file), form)
    if not (os.access(folder, os.W_OK) and os.access(file, os.W_OK)):
        return _open_read_only(file, form)
    db = _connect(str(file), str(file))
    if is_current(db, str(file), form):
        return _ready(db, str(file), form)
    lock = acquire(folder, wait)  # only one process at a time may migrate it
    try:
        return _ready(db, str(file), form)
    finally:
        lock.release()


def _open_read_only(file: Path, form: Format) -> sqlite3.Connection:
    """Return a connection that writes nothing, not even the files that SQLite keeps beside a database in use."""
    name, log = str(file), file.with_name(f"{file.name}-wal")
    in_use = log.exists() and log.stat().st_size > 0
    _refuse_empty(name)
    try:
        db = _connect(f"{file.resolve().as_uri()}?{'mode=ro' if in_use else 'immutable=1'}", name)
        current = is_current(db, name, form)
    except LedgerError as error:
        hint = "The folder is read-only and ledger.db-wal has answers: copy the folder, and name the copy with --ledger"
        raise (LedgerError(f"{error}. {hint}") if in_use else error) from error
    if not current:
        raise LedgerError(
            f"{name}: an earlier rowcite made this ledger, and the folder is read-only. Make it writable, or copy the folder"
            " and name the copy with --ledger"
        )
    return db


def _ready(db: sqlite3.Connection, name: str, form: Format) -> sqlite3.Connection:
    """Return the connection with the file migrated and every reference checked from then on."""
    _refuse_empty(name)
    is_current(db, name, form)  # before anything is changed: the file may not be a ledger
    try:
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] not in _MODES:
            raise no_locks(Path(name).parent)
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
        migrate(db, name, form)
        db.execute("PRAGMA foreign_keys = ON")  # not before: a step may rebuild tables
    except sqlite3.Error as error:
        raise _cannot_use(name, error) from error
    return db


def _refuse_empty(name: str) -> None:
    file = Path(name)
    if file.exists() and not file.stat().st_size:
        raise LedgerError(
            f"{name}: the file is empty, so what was paid for is lost. Restore the ledger folder or a backup of it,"
            " or delete the folder to start a new ledger"
        )


def _connect(target: str, name: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(target, isolation_level=None, timeout=30, uri=target.startswith("file:"))
        db.create_function("answer_checksum", 2, checksum, deterministic=True)
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute(f"PRAGMA cache_size = -{_CACHE}")
    except sqlite3.Error as error:
        raise _cannot_use(name, error) from error
    return db


def _cannot_use(name: str, error: sqlite3.Error) -> LedgerError:
    full = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    hint = ". Free disk space or repair the folder, then run again: the ledger is as it was" if full else ""
    return LedgerError(f"{name}: cannot open the ledger: {error}{hint}")
