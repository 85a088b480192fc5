"""What was asked, sent, paid and answered: a SQLite file, the only state there is.

The core's only package with sqlite3. Every method that writes is one transaction, on disk when it returns.
"""

from __future__ import annotations

from pathlib import Path

from rowcite.ledger.opening import VERSION, open_file
from rowcite.ledger.reads import Reads
from rowcite.ledger.writes import Writes

__all__ = ["VERSION", "Ledger", "open_ledger"]


class Ledger(Reads, Writes):
    """One ledger, opened. Use `open_ledger`, which makes the folder, the file and the lock."""


def open_ledger(folder: Path, *, writing: bool, wait: float = 0.0) -> Ledger:
    """Open the ledger in a folder.

    For writing, the folder and file are made if need be and this process has the ledger alone: another one that
    has it is waited for so many seconds. For reading, a ledger that is not there is an empty one and nothing is made.
    A ledger of an earlier version is brought up to date.

    Raises:
        LedgerBusy: another process has it open for writing.
        LedgerError: it cannot be opened, or was made by a newer rowcite.
    """
    return Ledger(*open_file(folder, writing=writing, wait=wait))
