"""The outcome of a command, as `--json` prints it and `run_results.json` keeps it in the ledger's folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from rowcite.api.facts import MICRO
from rowcite.errors import RowciteError
from rowcite.files import write_whole
from rowcite.ledger import Ledger
from rowcite.ledger.lock import is_in_use
from rowcite.model import Counts, RowStatus

RESULTS = "run_results.json"
SCHEMA_VERSION: Literal[1] = 1
CommandName: TypeAlias = Literal["run", "submit", "collect", "write"]
_INTERRUPTED, _BUG = 130, 1


@dataclass(slots=True)
class Summary:
    """The outcome of `run`, `submit`, `collect` or `write`. Money is US$ at list price: an upper bound."""

    schema_version: Annotated[
        Literal[1], Meta(description="Changes when a key goes, or changes its meaning")
    ] = SCHEMA_VERSION
    command: CommandName = "run"
    spec: Annotated[str, Meta(description="Path of the spec")] = ""
    api: Annotated[str, Meta(description="Base URL of the API, or local: and the digest of the corpus")] = ""
    began: Annotated[str, Meta(description="Time in UTC, ISO 8601")] = ""
    ended: Annotated[str, Meta(description="Time in UTC, ISO 8601")] = ""
    seconds: Annotated[float, Meta(description="Time between the two by a clock that is never set")] = 0.0
    exit_code: int = 0
    stopped: Annotated[str | None, Meta(description="Why the command stopped; null if it finished")] = None
    rows: Annotated[Counts, Meta(description="Rows of the table by status; all 0 if no table was merged")] = (
        field(default_factory=Counts)
    )
    answered_rows: Annotated[int, Meta(description="Rows with an answer: completed or rejected")] = 0
    filled: Annotated[dict[str, int], Meta(description="Answered rows with an accepted value, by field")] = (
        field(default_factory=dict)
    )
    accepted_cells: Annotated[int, Meta(description="Accepted values that the table did not have before")] = 0
    reasons: Annotated[
        dict[str, int],
        Meta(description="Rows by the reason of a rejection or failure, the most frequent first"),
    ] = field(default_factory=dict)
    tasks: Annotated[int, Meta(description="Distinct tasks of the rows within --limit")] = 0
    answered: Annotated[int, Meta(description="Tasks that earlier commands answered")] = 0
    submitted: Annotated[int, Meta(description="Runs that this command created")] = 0
    retried: Annotated[int, Meta(description="Those of them that escalate rejected rows")] = 0
    runs: Annotated[dict[str, int], Meta(description="All runs of the ledger by state")] = field(
        default_factory=dict
    )
    spent_usd: Annotated[float, Meta(description="List price of the runs that this command created")] = 0.0
    total_spent_usd: Annotated[float, Meta(description="List price of all runs of the ledger")] = 0.0
    requests: Annotated[int, Meta(description="HTTP requests that this command sent")] = 0
    output: Annotated[str | None, Meta(description="Where the table is; null if none was written")] = None
    output_warning: Annotated[
        str | None, Meta(description="Why the table is elsewhere, or what it replaced")
    ] = None
    output_notes: Annotated[
        list[str], Meta(description="What a workbook shows only in part, such as comments")
    ] = field(default_factory=list)
    files: Annotated[list[str], Meta(description="Files and folders that the command wrote")] = field(
        default_factory=list
    )
    next: Annotated[list[str], Meta(description="Commands to type next")] = field(default_factory=list)
    warnings: Annotated[dict[str, int], Meta(description="Warnings of the API, with the runs of each")] = (
        field(default_factory=dict)
    )
    ledger: Annotated[str, Meta(description="Folder of the ledger")] = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**values, "rows": self.rows.as_dict()}


def summary_schema() -> dict[str, Any]:
    """Return the JSON Schema of a summary."""

    def counts(_: type) -> dict[str, Any]:
        names = ["total", *RowStatus]
        return {
            "type": "object",
            "properties": {str(name): {"type": "integer", "minimum": 0} for name in names},
            "required": list(map(str, names)),
        }

    (whole,), parts = msgspec.json.schema_components([Summary], schema_hook=counts)
    del whole
    schema = parts["Summary"]
    for part in schema["properties"].values():
        part.pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": RESULTS,
        "required": list(schema["properties"]),
    }


@contextmanager
def recorded(summary: Summary, ledger: Ledger, folder: Path, *, has_lock: bool) -> Iterator[None]:
    """Complete a summary at the end of a block, however it ends, and write it to the ledger's folder.

    It is not written where the folder cannot be written or, without the lock, while another command has the ledger.
    """
    began = time.monotonic()
    summary.began = _now()

    def end(_: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            summary.exit_code, summary.stopped = _exit_code(error), _text(error)
        with suppress(RowciteError):  # a damaged ledger
            summary.runs = {str(state): runs for state, runs in ledger.state_counts().items()}
            summary.total_spent_usd = ledger.spent() / MICRO
        summary.ended, summary.seconds = _now(), round(time.monotonic() - began, 3)
        leave(summary, folder, has_lock=has_lock)

    with ExitStack() as stack:
        stack.push(end)
        yield


def leave(summary: Summary, folder: Path, *, has_lock: bool) -> None:
    """Write a summary to the ledger's folder, if that exists and no other command has the ledger."""
    if not folder.is_dir() or not (has_lock or not is_in_use(folder)):
        return
    text = json.dumps(summary.as_dict(), ensure_ascii=False, indent=2)
    with suppress(OSError):
        write_whole(folder / RESULTS, f"{text}\n".encode(errors="replace"), private=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _exit_code(error: BaseException) -> int:
    """Return the exit code that an error ends its command with."""
    if isinstance(error, Exception):
        return int(getattr(error, "exit_code", _BUG))
    return _INTERRUPTED


def _text(error: BaseException) -> str:
    return str(error) or ("Interrupted" if not isinstance(error, Exception) else type(error).__name__)
