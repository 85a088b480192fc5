"""`rowcite completion`: the script that makes a shell complete commands, flags and files."""

from __future__ import annotations

import click

from rowcite.errors import UsageError

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print the script that makes SHELL complete rowcite's commands, flags and files.

    \b
    bash, in ~/.bashrc:                    eval "$(rowcite completion bash)"
    zsh, in ~/.zshrc (after compinit):     eval "$(rowcite completion zsh)"
    fish, once:  rowcite completion fish > ~/.config/fish/completions/rowcite.fish
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from click.shell_completion import get_completion_class

    from rowcite.cli import cli

    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise UsageError(f"this version of click has no completion for {shell}")
    click.echo(shell_class(cli, {}, "rowcite", "_ROWCITE_COMPLETE").source())
    return 0
