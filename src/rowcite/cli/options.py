"""The flags that several commands share, and the job that they describe."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rowcite.cli.console import Console
from rowcite.errors import TableError, UsageError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from rowcite.pipeline.prepare import Prepared
    from rowcite.pipeline.which_api import Use

F = TypeVar("F", bound=Callable[..., Any])
_DAY = 86_400


def _amount(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise click.BadParameter("not an amount of US$, such as 10 or 0.5")
    return value


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    """Let the shell complete the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _complete_processors(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from rowcite.api.facts import PROCESSORS

    return [name for name in PROCESSORS if name.startswith(incomplete)]


class _SpecFile(click.Path):
    """A spec's file; the nearest name is named if the file does not exist."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        import os

        from rowcite.wording import did_you_mean_file

        if not os.path.lexists(value):
            self.fail(f"{value}: no such file{did_you_mean_file(value, ('.yaml', '.yml'))}", param, ctx)
        if ctx is not None and isinstance(ctx.obj, list):  # the specs that were typed, for errors
            ctx.obj.append(value)
        return super().convert(value, param, ctx)


_SPEC_FILE = _SpecFile(exists=True, dir_okay=False)
spec_argument = click.argument("spec", type=_SPEC_FILE)
specs_argument = click.argument("specs", metavar="SPEC...", type=_SPEC_FILE, nargs=-1, required=True)
_SIZES = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_LEAST = 16 << 20


def _bytes(_: click.Context, __: click.Parameter, text: str) -> int:
    number, unit = text[:-2].strip(), text[-2:].upper()
    try:
        size = int(float(number) * _SIZES[unit])
    except (KeyError, ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is not a size: write it like 500MB or 2GB") from None
    if size < _LEAST:
        raise click.BadParameter(f"{text} is too small: give at least 16MB")
    return size


def duration_value(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    """Return the value of a flag that takes a duration."""
    from rowcite.spec.value_types import duration

    try:
        value: timedelta | None = duration(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}") from None
    return value


def time_value(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """Return a time: a date, a date with a time, or how long ago."""
    from datetime import UTC, datetime

    from rowcite.spec.value_types import duration

    if text is None:
        return None
    try:
        ago: timedelta = duration(text)
        return datetime.now(UTC) - ago
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is not a time: write it like 2026-11-01, 2026-11-01T08:00, or 7d for seven days ago"
        ) from None


_TABLE = [
    click.option(
        "-i",
        "--input",
        metavar="TABLE",
        shell_complete=complete_files,
        help="Read this table instead of the spec's; - is stdin.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="TABLE",
        shell_complete=complete_files,
        help="Write this table instead of the spec's; - is stdout.",
    ),
    click.option(
        "--limit", type=click.IntRange(min=0), metavar="N", help="Request answers for the first N rows only."
    ),
    click.option(
        "--processor",
        metavar="NAME",
        shell_complete=_complete_processors,
        help="Use this processor instead of the spec's.",
    ),
    click.option("--base-url", metavar="URL", help="Use the Task API at this URL."),
    click.option(
        "--backend",
        type=click.Choice(["parallel", "local"]),
        help="Use this backend instead of the spec's.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["polars", "daft"]),
        help="Use this engine instead of the spec's.",
    ),
    click.option(
        "--memory",
        default="1GB",
        callback=_bytes,
        metavar="SIZE",
        help="Keep up to SIZE of keys and answers in memory, the rest in files.  [default: 1GB]",
    ),
    click.option(
        "--ledger", metavar="DIR", help="Use the ledger in DIR instead of .rowcite/NAME beside the spec."
    ),
]
_REPLACE = click.option(
    "--replace",
    is_flag=True,
    help="Replace the output also where it has more answered rows, or is not rowcite's.",
)
_SPEND = [
    click.option(
        "--max-cost",
        type=float,
        callback=_amount,
        metavar="USD",
        help="Spend at most USD in this command.",
    ),
    click.option(
        "--max-age",
        callback=duration_value,
        metavar="DURATION",
        help="Request answers again that are older than DURATION (2h, 90d).",
    ),
    click.option("--fresh", is_flag=True, help="Ignore stored answers and request all of them again."),
    click.option("--retry-failed", is_flag=True, help="Retry the tasks that failed in earlier commands."),
]
_OUTPUT = [
    click.option(
        "--json", "as_json", is_flag=True, help="Write one JSON object to stdout, and nothing else."
    ),
    click.option("-q", "--quiet", is_flag=True, help="Write only warnings and errors."),
    click.option("--no-progress", is_flag=True, help="Draw no progress bar."),
    click.option("-v", "--verbose", is_flag=True, help="Log every request."),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        help="Format of the messages on stderr.",
    ),
]


def table_options(command: F) -> F:
    """Add the flags for the table, the API and the ledger."""
    return _add(command, _TABLE)


def read_only_options(command: F) -> F:
    """Add the flags for the table, the API and the ledger, for commands that write no table."""
    return _add(command, [_TABLE[0], *_TABLE[2:]])


def replace_option(command: F) -> F:
    """Add the flag for replacing a richer table."""
    return _add(command, [_REPLACE])


def spend_options(command: F) -> F:
    """Add the flags for the budget and for retries."""
    return _add(command, _SPEND)


def max_cost_option(command: F) -> F:
    """Add the flag for the budget."""
    return _add(command, _SPEND[:1])


def output_options(command: F) -> F:
    """Add the flags for output and messages."""
    return _add(command, _OUTPUT)


def _add(command: F, options: Sequence[Callable[[Any], Any]]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def start_console(flags: dict[str, Any]) -> Console:
    """Return the console for the flags about messages, which are removed from `flags`.

    Raises:
        UsageError: `ROWCITE_LOG_SECONDS` is not a number of seconds.
    """
    console = Console(flags.pop("log_format"), quiet=flags.pop("quiet"), verbose=flags.pop("verbose"))
    console.draws = not flags.pop("no_progress") and console.draws
    console.take_over()
    if given := os.environ.get("ROWCITE_LOG_SECONDS"):
        try:
            console.line_seconds = float(given)
        except ValueError:
            console.line_seconds = 0
        if not 0 < console.line_seconds <= _DAY:
            raise UsageError(f"ROWCITE_LOG_SECONDS: {given!r} is not a number of seconds, such as 30")
    return console


@contextmanager
def prepared(
    spec: str, flags: dict[str, Any], use: Use | None = None, *, writes: bool = False
) -> Iterator[Prepared]:
    """Yield the job of a spec and the remaining flags; a table on stdin is kept in a temporary file.

    `use` is what the command does with stored answers; None: it requests answers. `writes` is True if it writes the
    output table; else the folder of that may be read-only.
    """
    import tempfile
    from pathlib import Path

    from rowcite.cli.bar import Passes
    from rowcite.local import backend
    from rowcite.pipeline.overrides import Overrides
    from rowcite.pipeline.prepare import prepare
    from rowcite.pipeline.which_api import Use
    from rowcite.progress import watching

    reading = watching(Passes(Console.current()))
    with reading, tempfile.TemporaryDirectory(prefix="rowcite-") as folder:
        spool = Path(folder) / "stdin"
        try:
            overrides, use = Overrides(**flags), use or Use.SEND
            ready = prepare(spec, overrides, use=use, writes=writes, local=backend, spool=spool)
            for text in ready.warnings:
                Console.current().warning(text)
            yield ready
        except TableError as error:
            raise TableError(str(error).replace(str(spool), "stdin")) from error
