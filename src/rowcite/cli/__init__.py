"""The command line: `main` owns exit codes; data goes to stdout, messages to stderr."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module

import click

from rowcite.cli.console import Console, folded
from rowcite.cli.signals import INTERRUPTED, Signals
from rowcite.cli.streams import (
    READER_GONE,
    ReaderGone,
    StdoutFailed,
    discard_stdout,
    flush_stdout,
    guard_streams,
)
from rowcite.errors import RowciteError
from rowcite.inert import one_line
from rowcite.version import __version__

BUG, USAGE = 1, 2
_ERROR = "Error: "  # as click begins it
_LEAST_WIDTH, _CLICK_WIDTH = 20, 50
_COMMANDS = {
    "init": "Draft a spec for a table: inputs, fields to find, limits.",
    "run": "Plan, submit, wait, write; continues where an earlier run stopped.",
    "submit": "Send the tasks of the table and end; `collect` takes the answers.",
    "collect": "Take the answers that are ready, escalate, write the table.",
    "plan": "Show the rows, tasks, cost and time of a run; spends nothing.",
    "check": "Check a spec against its table and the API's limits; no network.",
    "write": "Merge the stored answers into the table; no network.",
    "status": "Show the status of every row, and the spend so far.",
    "explain": "Show the evidence behind a row's cells.",
    "report": "Write one HTML file: coverage, sources, spend, and the rows to review.",
    "review": "Accept, reject and correct cells on a local page.",
    "deltas": "Write only the changed cells, as CSV for CRM imports.",
    "eval": "Compare answers with labels: how often they are right, and at what price.",
    "compare": "Ask two processors about a sample, and show where they disagree.",
    "ledger": "Verify, export, back up or prune the ledger.",
    "schema": "Print the JSON Schema of a spec, for editors.",
    "completion": "Print the completion script for bash, zsh or fish.",
    "serve": "Run the local Task API server over a folder of documents.",
}
"""The commands in the order of the help, each with its line there: so `rowcite --help` imports none of them."""


_COLLECT = (50_000, 20, 100)
"""When garbage is collected: a run has few cycles, and Python's defaults (700, 10, 10) search for them in a 16th of its time."""

_ARROW_MEMORY = ("ARROW_DEFAULT_MEMORY_POOL", "system")
"""Arrow's own allocator keeps what is free: a tenth of the peak memory of a large table. Set before Arrow is imported."""


class _Lazy(click.Group):
    """Imports a command's file when the command is used."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from rowcite.wording import nearest

            near = nearest(args[0], _COMMANDS)
            hint = f"Did you mean {near!r}?" if near else f"Commands: {', '.join(_COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"rowcite.cli.{cmd_name}").command
        command.short_help = _COMMANDS[cmd_name]
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rowcite")
def cli() -> None:
    """Fill missing columns of a table from the web, with a confidence and citations for every cell."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code. The codes are listed in docs/commands.md."""
    Console.default()
    if argv is None:
        guard_streams()
        gc.set_threshold(*_COLLECT)
        os.environ.setdefault(*_ARROW_MEMORY)
    specs: list[str] = []
    with Signals(_report_interrupt, process_ends=argv is None) as signals:
        try:
            args = None if argv is None else list(argv)
            code = cli.main(
                args=args,
                prog_name="rowcite",
                standalone_mode=False,
                obj=specs,
                terminal_width=_narrow_width(),
            )
            flush_stdout()
        except BaseException as error:  # noqa: BLE001 - the only place that turns errors into exit codes
            interrupted = signals.received or isinstance(error, KeyboardInterrupt | click.Abort)
            code = INTERRUPTED if interrupted else _exit_code(error, specs)
        if signals.received or code == INTERRUPTED:
            signals.leave()
    if argv is None:
        gc.freeze()  # a last collection of what the system takes back anyway would cost a fifth of a short command
    return code if isinstance(code, int) else 0


def _narrow_width() -> int | None:
    """Return the width of help on a terminal that is narrower than the least that click uses; None on others."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError, AttributeError):  # not a terminal, or closed
        return None
    return max(columns - 2, _LEAST_WIDTH) if 0 < columns < _CLICK_WIDTH + 2 else None


def _with_spec(text: str, spec: str) -> str:
    """Return a text with a spec in its commands for the ledger: where the text is made, the spec is not known."""
    import re
    import shlex

    return re.sub(r"(?<=`rowcite ledger )(\w+) SPEC\b", lambda found: f"{found[1]} {shlex.quote(spec)}", text)


def _report_interrupt() -> None:
    console = Console.current()
    if console.on_interrupt is not None:
        console.error(console.on_interrupt(), exit_code=INTERRUPTED, event="interrupted")


def _exit_code(error: BaseException, specs: Sequence[str]) -> int:
    """Report an error that ends the command, which is about some specs; return its exit code."""
    if isinstance(error, click.ClickException):
        return _misused(error)
    if isinstance(error, ReaderGone | StdoutFailed):
        discard_stdout()
    if isinstance(error, RowciteError):
        if len(specs) == 1:
            error.reword(partial(_with_spec, spec=specs[0]))
        Console.current().error(*error.lines, exit_code=error.exit_code)
        return error.exit_code
    if isinstance(error, ReaderGone):
        return READER_GONE
    if isinstance(error, SystemExit):
        raise error
    Console.current().error(
        *_traceback(error),
        "This is a bug in rowcite. No stored answer is lost. Please report the lines above.",
        exit_code=BUG,
    )
    return BUG


def _traceback(error: BaseException) -> Iterator[str]:
    """Yield the lines of a traceback. The text of an exception, which may hold values from the web, is one line."""
    import traceback

    for part in traceback.format_exception(error):
        is_frame = part.startswith("  File ")
        yield from part.rstrip("\n").split("\n") if is_frame else [part.strip("\n")]


def _misused(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return USAGE
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        from rowcite.wording import nearest

        near = nearest(error.option_name, error.possibilities) or error.possibilities[0]
        error = click.NoSuchOption(error.option_name, possibilities=[near], ctx=error.ctx)
    text = error.format_message()
    if isinstance(error, click.MissingParameter):
        text = " ".join(text.split())  # click lists the choices in lines
    if Console.current().form == "json":
        Console.current().error(text, exit_code=USAGE)
    else:
        text = folded(_ERROR + one_line(text), sys.stderr).removeprefix(_ERROR)
        click.UsageError(text, getattr(error, "ctx", None)).show(sys.stderr)
    return USAGE
