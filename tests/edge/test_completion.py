"""Shell completion, in the shells themselves: what is typed, a Tab, and the line that results."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from support import diagonal, environment

START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(rowcite completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -Uz compinit; compinit -u -D; eval "$(rowcite completion zsh)"'),
    "fish": (["fish", "--no-config", "-c"], "rowcite completion fish | source"),
}


@pytest.fixture
def shell_environment(tmp_path):
    """Return the environment of a shell that finds `rowcite`, in a folder with a spec."""
    program = tmp_path / "bin" / "rowcite"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rowcite "$@"\n')
    program.chmod(0o755)
    (tmp_path / "accounts.yaml").touch()
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return environment(PATH=path, PS1="$ ", HOME=str(tmp_path), TERM="xterm")


def typed(shell, line, expected, cwd, env):
    """Type a line and a Tab into an interactive shell; return what the terminal shows, at the latest after 60 s."""
    command, setup = START[shell]
    main, side = pty.openpty()
    process = subprocess.Popen(
        command, stdin=side, stdout=side, stderr=side, cwd=cwd, env=env, start_new_session=True
    )
    os.close(side)
    shown, until = "", time.monotonic() + 60
    os.write(main, f"{setup}; echo rea''dy\n".encode())
    sent = False
    try:
        while expected not in shown and time.monotonic() < until:
            if select.select([main], [], [], 0.1)[0]:
                shown += os.read(main, 4096).decode(errors="replace")
            elif not sent and "ready" in shown:  # the prompt is written, the shell waits
                os.write(main, f"{line}\t".encode())
                sent = True
    finally:
        process.kill()
        process.wait()
        os.close(main)
    return shown


LINES = {
    "rowcite pl": "rowcite plan",
    "rowcite run --max-c": "rowcite run --max-cost",
    "rowcite run acc": "rowcite run accounts.yaml",
}


@pytest.mark.parametrize(("shell", "line"), diagonal(["bash", "zsh"], LINES))
def test_the_shell_completes_commands_flags_and_files(shell, line, tmp_path, shell_environment):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    completed = LINES[line]
    assert completed in typed(shell, line, completed, tmp_path, shell_environment)


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        pytest.param("rowcite pl", "plan", marks=pytest.mark.slow),
        pytest.param("rowcite run --max-c", "--max-cost", marks=pytest.mark.slow),
        ("rowcite run acc", "accounts.yaml"),
        ("rowcite plan accounts.yaml --processor ultra8", "ultra8x-fast"),
    ],
)
def test_fish_completes_commands_flags_and_files(line, completed, tmp_path, shell_environment):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    command, setup = START["fish"]
    done = subprocess.run(
        [*command, f"{setup}; complete -C '{line}'"],
        cwd=tmp_path,
        env=shell_environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert completed in [text.split("\t")[0] for text in done.stdout.splitlines()]
