"""The command line: `main` owns exit codes; data goes to stdout, words to stderr."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from rowcite.cli.voice import Voice
from rowcite.errors import RowciteError
from rowcite.version import __version__

INTERRUPTED, BUG, USAGE = 130, 1, 2
_COMMANDS = ("run", "plan", "check", "write", "status", "serve")


class _Lazy(click.Group):
    """Imports a command's file when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"rowcite.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rowcite")
def cli() -> None:
    """Fill missing columns of a table from the web, with a confidence and citations for every cell."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code. The codes are listed in docs/exit-codes.md."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    voice = Voice.default()
    try:
        code = cli.main(args=None if argv is None else list(argv), prog_name="rowcite", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        Voice.current().error("Interrupted. What was answered is in the ledger: run the same command again to go on.")
        return INTERRUPTED
    except RowciteError as error:
        Voice.current().error(str(error))
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nothing is left to say
        return BUG
    except Exception:
        import traceback

        traceback.print_exc()
        voice.error("This is a bug in rowcite, and nothing that was answered is lost. Please report the lines above.")
        return BUG
    return code if isinstance(code, int) else 0
