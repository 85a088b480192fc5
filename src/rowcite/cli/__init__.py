"""The command line: `main` owns exit codes; data goes to stdout, words to stderr."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from rowcite.cli.console import Console
from rowcite.errors import RowciteError
from rowcite.version import __version__

INTERRUPTED, BUG, USAGE = 130, 1, 2
READER_GONE = 141  # as a shell tells of SIGPIPE: `rowcite run … -o - | head`
_COMMANDS = (
    "run",
    "plan",
    "check",
    "write",
    "status",
    "explain",
    "report",
    "review",
    "deltas",
    "ledger",
    "serve",
)


class _ReaderGone(Exception):
    """Whoever read our output has gone, and nothing is left to say."""


class _Lazy(click.Group):
    """Imports a command's file when the command is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would make exit code 1 of it, and that is a bug's
            raise _ReaderGone from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], _COMMANDS, 1, 0.6)
            hint = f"Did you mean {near[0]!r}?" if near else f"Commands: {', '.join(_COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"rowcite.cli.{cmd_name}").command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rowcite")
def cli() -> None:
    """Fill missing columns of a table from the web, with a confidence and citations for every cell."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code. The codes are listed in docs/commands.md."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    Console.default()
    try:
        code = cli.main(args=None if argv is None else list(argv), prog_name="rowcite", standalone_mode=False)
    except click.ClickException as error:
        code = _misused(error)
    except (click.Abort, KeyboardInterrupt):
        Console.current().error(
            "Interrupted. What was answered is in the ledger: run the same command again to go on."
        )
        code = INTERRUPTED
    except RowciteError as error:
        Console.current().error(str(error))
        code = error.exit_code
    except _ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still to be flushed has nobody to read it
        code = READER_GONE
    except Exception:  # noqa: BLE001 - the last word: a traceback, and the code for a bug
        import traceback

        traceback.print_exc()
        Console.current().error(
            "This is a bug in rowcite, and nothing that was answered is lost. Please report the lines above."
        )
        code = BUG
    return code if isinstance(code, int) else 0


def _misused(error: click.ClickException) -> int:
    if Console.current().form == "json":
        Console.current().error(error.format_message())
    else:
        error.show(sys.stderr)
    return USAGE
