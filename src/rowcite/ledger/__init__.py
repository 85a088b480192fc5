"""Everything that was sent, paid and answered: one SQLite file, the only state there is.

The only package of the core with SQL in it. Every method that writes is one transaction, on disk when it returns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from rowcite.errors import LedgerError
from rowcite.ledger.history import History
from rowcite.ledger.opening import open_again, open_file
from rowcite.ledger.reads import QuestionAnswers, Reads
from rowcite.ledger.writes import Writes

__all__ = ["Ledger", "QuestionAnswers", "open_ledger"]


class Ledger(Reads, Writes, History):
    """An open ledger. Use `open_ledger`, which makes the folder, the file and the lock."""

    def reopen(self) -> Ledger:
        """Return a second connection to the same file, for another thread. The lock stays with this one."""
        return Ledger(open_again(self.where), None, self.where, self._command)

    def opener(self) -> Callable[[], Ledger]:
        """Return a function that opens the file for reading as this command reads it, in another process too.

        It raises LedgerError if the file is gone or replaced, which this connection still reads.
        """
        return partial(_opened_to_read, self.where, self.file_id, self._command)


def _opened_to_read(where: str, file: tuple[int, int] | None, command: int | None) -> Ledger:
    ledger = Ledger(*open_file(Path(where).parent, writing=False, wait=0.0), command)
    if ledger.file_id != file:
        ledger.close()
        raise LedgerError(f"{where}: the ledger was deleted or replaced")
    return ledger


def open_ledger(folder: Path, *, writing: bool, wait: float = 0.0) -> Ledger:
    """Open the ledger in a folder, migrated if an earlier version made it.

    For writing, the folder and the file are created where missing, and no other process can write meanwhile: if one
    does, wait up to `wait` seconds for it. For reading, a missing ledger is an empty one and nothing is created.

    Raises:
        LedgerBusy: another process has it open for writing.
        LedgerError: it cannot be opened, or was made by a rowcite whose format this one does not read.
    """
    return Ledger(*open_file(folder, writing=writing, wait=wait))
