"""The second pass of a worker: a part with its answers to a file of the output, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from rowcite.engines.answers_file import StoredAnswers
from rowcite.engines.parts import Part, PartJob
from rowcite.files import write_whole
from rowcite.model import RowStatus, decoded_counts
from rowcite.table.contents import Contents, write_contents

_RECORD = "record.json"


@dataclass(frozen=True, slots=True)
class Order:
    """A part to write: the file of its answers, the folder for its table, and what identifies the result.

    `limit` is the number of the part's rows for which answers are requested, None for all.
    """

    part: Part
    answers: Path
    folder: Path
    digest: str
    limit: int | None = None

    @property
    def table(self) -> Path:
        """Return the file of the part's table."""
        return self.folder / self.part.file.name


class PartRecord(msgspec.Struct):
    """A part that was written: what identifies it, the size and the time of its file, and what it holds."""

    name: str
    digest: str
    size: int
    time: int
    contents: Contents

    @property
    def is_final(self) -> bool:
        """Return True if no row of the part is pending."""
        return not self.contents.rows[RowStatus.PENDING]

    def is_of(self, file: Path) -> bool:
        """Return True if a file is the one that was written."""
        try:
            found = file.stat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size, self.time)


def written_part(order: Order) -> PartRecord | None:
    """Return the record of a part that an earlier worker or command has written from the same rows and answers, else None."""
    try:
        record = msgspec.json.decode(
            (order.folder / _RECORD).read_bytes(), type=PartRecord, dec_hook=decoded_counts
        )
    except (OSError, msgspec.DecodeError):
        return None
    return record if record.digest == order.digest and record.is_of(order.table) else None


def merge_part(job: PartJob, order: Order) -> PartRecord:
    """Write a part with its answers, and return its record."""
    if (found := written_part(order)) is not None:
        return found
    contents, reader = Contents(), job.reader(order.part, order.limit)
    answers = StoredAnswers(order.answers)
    write_contents(reader, job.question, answers, str(order.table), contents, room=job.room)
    file = order.table.stat()
    record = PartRecord(order.part.name, order.digest, file.st_size, file.st_mtime_ns, contents)
    write_whole(order.folder / _RECORD, msgspec.json.encode(record))
    return record
