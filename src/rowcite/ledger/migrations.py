"""The format of a ledger file: its tables created, or migrated from an earlier version.

A change of `schema.sql` needs one more step in `FORMAT`: an SQL script that turns a file of the version before into the new one.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from string import Template
from typing import NamedTuple

from rowcite.errors import LedgerError
from rowcite.ledger.queries import sql_list
from rowcite.ledger.stored_answers import checksum_of_version_2
from rowcite.model import ACTIVE

APPLICATION_ID = 0x726F7763
"""'rowc' in the header of the file: no other SQLite file has it."""


class Format(NamedTuple):
    """The tables of a new file, and the scripts that migrate older ones: the first leads from version 1 to version 2."""

    schema: str
    steps: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """Return the version of a new file."""
        return 1 + len(self.steps)


def _schema() -> str:
    text = files("rowcite.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
    return Template(text).substitute(ACTIVE=sql_list(ACTIVE))


_VERSION_2 = (
    "ALTER TABLE answer ADD COLUMN checksum BLOB NOT NULL DEFAULT x'';"
    " UPDATE answer SET checksum = answer_checksum_2(run, output);"
    " ALTER TABLE run ADD COLUMN ended_in INTEGER;"
    " CREATE TABLE command (\n  id INTEGER PRIMARY KEY,\n  began_at REAL NOT NULL,\n  copied INTEGER\n);"
    " CREATE TABLE submission (\n  id INTEGER PRIMARY KEY,\n  first_run INTEGER NOT NULL,\n  budget INTEGER NOT NULL\n);"
)
_VERSION_3 = "ALTER TABLE decision ADD COLUMN answer TEXT;"
_VERSION_4 = (  # a damaged answer stays damaged: no output has an empty checksum
    "UPDATE answer SET checksum = CASE checksum WHEN answer_checksum_2(run, output)"
    " THEN answer_checksum(run, output) ELSE x'' END;"
)
_VERSION_5 = ""  # answers may be compressed: those of earlier versions stay as they are
_VERSION_6 = "ALTER TABLE batch ADD COLUMN waited REAL NOT NULL DEFAULT 0;"
FORMAT = Format(_schema(), (_VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6))


def is_current(db: sqlite3.Connection, name: str, form: Format = FORMAT) -> bool:
    """Return True if the file has the version of `form`.

    Raises:
        LedgerError: the file is not a ledger, or was made by a newer or an unreleased rowcite.
    """
    return _version(db, name, form) == form.version


def migrate(db: sqlite3.Connection, name: str, form: Format = FORMAT) -> None:
    """Create the tables of an empty file, or bring an older one up to date: each step whole or not at all.

    Raises:
        LedgerError: as `is_current`, or a step failed; the file has the version before it.
    """
    version = _version(db, name, form)
    scripts = form.steps[version - 1 :] if version else [form.schema]
    try:
        db.create_function("answer_checksum_2", 2, checksum_of_version_2, deterministic=True)
        for number, script in enumerate(scripts, form.version - len(scripts) + 1):
            db.executescript(
                f"BEGIN IMMEDIATE;\n{script}\n"
                f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
            )
    except sqlite3.Error as error:
        raise LedgerError(f"{name}: cannot open the ledger: {error}") from error


def _version(db: sqlite3.Connection, name: str, form: Format) -> int:
    """Return the version of a file, 0 for an empty one."""
    try:
        application, version, tables = (
            int(db.execute(sql).fetchone()[0])
            for sql in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
    except sqlite3.Error as error:
        raise LedgerError(f"{name}: cannot open the ledger: {error}") from error
    if not tables and not version:
        return 0
    if application != APPLICATION_ID:
        raise LedgerError(f"{name}: {_FROM_BEFORE_RELEASE if not application and version else _NOT_A_LEDGER}")
    if version > form.version:
        raise LedgerError(f"{name}: made by a newer rowcite (ledger version {version}). Upgrade rowcite")
    return version


_FROM_BEFORE_RELEASE = (
    "made by a rowcite from before the first release, whose format this version does not read. To keep its answers, write"
    " them to Parquet with the rowcite that made it (`rowcite ledger export SPEC -o FILE`). Then move its folder away"
    " and run again: a new ledger is started"
)
_NOT_A_LEDGER = (
    "this SQLite file is not a rowcite ledger. Name another folder with --ledger, or move the file away"
)
