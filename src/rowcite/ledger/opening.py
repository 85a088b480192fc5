"""How a ledger's file is opened: made, locked, and brought up to date from earlier versions."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

from filelock import FileLock, Timeout

from rowcite.errors import LedgerBusy, LedgerError
from rowcite.files import create_private

VERSION = 2
_CACHE = 64 << 10  # KiB: SQLite's own 2 MiB make every key of a large ledger a read from disk

_PAGE = (
    16 << 10
)  # bytes, of a new file: an answer of 2 KB would leave nearly half of SQLite's own 4 KiB empty
_CHECKPOINT = 2_000  # pages between checkpoints: keys come at random, so each page of their index is written once for many


def open_file(folder: Path, *, writing: bool, wait: float) -> tuple[sqlite3.Connection, FileLock | None, str]:
    """Open the file: a connection, the lock if this process has the ledger alone, and what to call it in errors."""
    file = folder / "ledger.db"
    if not writing:
        return _to_read(folder, file, wait), None, str(file)
    lock = _locked(folder, wait)
    try:
        create_private(file)
        return _current(_connected(str(file), str(file)), str(file)), lock, str(file)
    except BaseException as error:
        lock.release()
        raise _cannot(folder, error) if isinstance(error, OSError) else error from error


def _to_read(folder: Path, file: Path, wait: float) -> sqlite3.Connection:
    if not file.exists():
        return _current(_connected(":memory:", str(file)), str(file))
    db = _connected(str(file), str(file))
    if _version(db, str(file)) < VERSION:  # only one process at a time may change it
        lock = _locked(folder, wait)
        try:
            return _current(db, str(file))
        finally:
            lock.release()
    return _current(db, str(file))


def _locked(folder: Path, wait: float) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=wait, mode=0o600)
        lock.acquire()
    except Timeout:
        raise LedgerBusy(
            f"{folder}: another rowcite is working on this ledger. Wait for it, then run again (--wait-lock waits for you)"
        ) from None
    except OSError as error:
        raise _cannot(folder, error) from error
    return lock


def _cannot(folder: Path, error: OSError) -> LedgerError:
    return LedgerError(f"{folder}: cannot open the ledger: {error.strerror or error}")


def _connected(target: str, shown: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(target, isolation_level=None, timeout=30, check_same_thread=False)
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
        db.execute(f"PRAGMA cache_size = -{_CACHE}")
    except sqlite3.Error as error:
        raise LedgerError(f"{shown}: cannot open the ledger: {error}") from error
    return db


def _version(db: sqlite3.Connection, shown: str) -> int:
    try:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise LedgerError(f"{shown}: cannot open the ledger: {error}") from error
    if version > VERSION:
        raise LedgerError(f"{shown}: made by a newer rowcite (ledger version {version}). Upgrade rowcite")
    return version


def _current(db: sqlite3.Connection, shown: str) -> sqlite3.Connection:
    """Make the tables, or change those of an earlier version: one step a version, each whole or not at all."""
    version = _version(db, shown)
    steps = ["schema.sql"] if version == 0 else [f"from_{old}.sql" for old in range(version, VERSION)]
    try:
        for number, step in enumerate(steps, VERSION - len(steps) + 1):
            script = files("rowcite.ledger").joinpath(step).read_text(encoding="utf-8")
            db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error as error:
        raise LedgerError(f"{shown}: cannot open the ledger: {error}") from error
    return db
