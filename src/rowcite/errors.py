"""Every error rowcite raises, and the exit code each one ends the command with.

```text
RowciteError                 exit 1
├── InputError               exit 2   the spec, table or arguments cannot be used
│   ├── SpecError                     the YAML spec: all its problems at once, each with file:line:column
│   ├── TableError                    the table: which file, which line
│   └── UsageError                    flags and environment
├── KeyRefused               exit 3   the API key is missing, or the API answered 401
├── ApiError                 exit 4   the API failed for good
│   ├── Retriable                     may be sent again; carries `retry_after`
│   ├── ApiRefused           exit 2   403 or 422: the API will never take this
│   └── NotFound                      404
├── InsufficientCredit       exit 6   402: the account has too little credit
├── BudgetExceeded           exit 6   a limit of the spec or of the command allows no more
├── Incomplete               exit 5   stopped with work left; run again to continue
│   ├── DeadlineReached               `limits.deadline` has passed
│   ├── LedgerBusy                    another process uses the ledger
│   └── TableChanged                  the input changed while the command was running
├── Declined                 exit 5   the user did not confirm the plan
└── LedgerError              exit 5   the ledger cannot be read or written
```

A row that fails is a value (a run's state and error in the ledger), never one of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rowcite.wording import plural


class RowciteError(Exception):
    """Any error that rowcite explains: its text names the problem, the place and the remedy."""

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        super().__init__("\n".join(lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines of the text. A line break inside of one is from a value."""
        return self._lines if len(self._lines) > 1 else (str(self),)

    def reword(self, wording: Callable[[str], str]) -> None:
        """Replace each line of the text by its wording."""
        self._lines = tuple(map(wording, self._lines))
        self.args = (wording(str(self.args[0])),) if self.args else ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the same error in another process, whatever its `__init__` takes."""
        return type(self).__new__, (type(self), *self.args), vars(self)


class InputError(RowciteError):
    """The spec, the table or the arguments cannot be used."""

    exit_code = 2


class Problem(NamedTuple):
    """One problem of a spec. `line` and `column` count from 1; 0 without a position in a text."""

    message: str
    line: int = 0
    column: int = 0

    def at(self, file: str) -> str:
        """Return `file:line:column: message`, the form editors and CI logs can jump to."""
        return f"{file}:{self.line}:{self.column}: {self.message}" if self.line else f"{file}: {self.message}"


class SpecError(InputError):
    """The spec is wrong: every problem found, in the order of the file."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = sorted(problems, key=lambda p: (p.line, p.column))
        super().__init__(*(problem.at(file) for problem in self.problems))


class TableError(InputError):
    """The input or output table cannot be used as it is."""


class UsageError(InputError):
    """Flags, environment or arguments do not fit together."""


class KeyRefused(RowciteError):
    """The API key is missing or was refused."""

    exit_code = 3


class ApiError(RowciteError):
    """The API failed for good.

    `status` is the HTTP status, or 0 when no answer came; `ref_id` is the API's reference for support.
    """

    exit_code = 4

    def __init__(self, message: str, *, status: int = 0, ref_id: str | None = None) -> None:
        self.status = status
        self.ref_id = ref_id
        super().__init__(f"{message} (ref_id {ref_id})" if ref_id else message)


class Retriable(ApiError):
    """The API failed, and the same request may succeed later.

    `retry_after` is in seconds, None when the API did not name any. `sent` is False when the request
    certainly never reached the API, so that even a POST which creates runs may be sent again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        ref_id: str | None = None,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message, status=status, ref_id=ref_id)
        self.retry_after = retry_after
        self.sent = sent


class ApiRefused(ApiError):
    """The API will never take this request: 403 for a processor, 422 for a body.

    `rows` are the positions, in the request's list of runs, of those that the API rejected; empty when it named
    none.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, status: int = 0, ref_id: str | None = None, rows: tuple[int, ...] = ()
    ) -> None:
        self.rows = rows
        super().__init__(message, status=status, ref_id=ref_id)


class NotFound(ApiError):
    """The API does not know the group or run (404)."""


class InsufficientCredit(RowciteError):
    """The API answered 402: the account has too little credit."""

    exit_code = 6


class BudgetExceeded(RowciteError):
    """`limits.max_cost_usd`, `limits.max_total_usd` or `--max-cost` allows no more runs."""

    exit_code = 6


class Incomplete(RowciteError):
    """Stopped with work left: run the same command again to continue."""

    exit_code = 5


class DeadlineReached(Incomplete):
    """`limits.deadline` has passed. `pending` is the number of rows without an answer, None while it is not known."""

    def __init__(self, deadline: str) -> None:
        self.deadline = deadline
        self.pending: int | None = None
        super().__init__(deadline)

    def __str__(self) -> str:
        rows = "" if self.pending is None else f": {plural(self.pending, 'row')} still pending"
        return f"Stopped at the {self.deadline} deadline{rows}"


class LedgerBusy(Incomplete):
    """Another process is using the ledger."""


class TableChanged(Incomplete):
    """The input table has another header than when the command began, or keeps changing: no table is written."""


class Declined(RowciteError):
    """The user did not confirm the plan: nothing was submitted."""

    exit_code = 5


class LedgerError(RowciteError):
    """The ledger cannot be read or written."""

    exit_code = 5
