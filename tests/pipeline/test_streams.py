"""stdout and stderr that are full, closed, or without a reader: an exit code, never a traceback, and nothing lost."""

import json
import os
import subprocess
import sys
from contextlib import closing

import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from support import environment, served, small_spec, write_spec

ROWS = 3
COMMANDS = {
    "plan": ["plan", "spec.yaml"],
    "plan --json": ["plan", "spec.yaml", "--json"],
    "status --json": ["status", "spec.yaml", "--json"],
    "check": ["check", "spec.yaml"],
    "explain": ["explain", "spec.yaml", "--row", "1"],
    "run --json": ["run", "spec.yaml", "--json"],
    "run -o -": ["run", "spec.yaml", "-o", "-"],
    "submit --json": ["submit", "spec.yaml", "--json"],
    "collect -o -": ["collect", "spec.yaml", "-o", "-"],
    "schema": ["schema"],
    "write -o -": ["write", "spec.yaml", "-o", "-"],
    "report -o -": ["report", "spec.yaml", "-o", "-"],
    "review --export -": ["review", "spec.yaml", "--export", "-"],
    "deltas --json": ["deltas", "spec.yaml", "-o", "changes.csv", "--key", "name", "--json"],
    "ledger verify": ["ledger", "verify", "spec.yaml"],
    "--help": ["--help"],
    "run --help": ["run", "--help"],
}

PLAIN = {
    name: command for name, command in COMMANDS.items() if name not in {"report -o -", "review --export -"}
}
FAILING = [
    ("full", 5, PLAIN),
    ("closed", 5, PLAIN),
    ("gone", 141, PLAIN),
    pytest.param("full", 5, COMMANDS, marks=pytest.mark.slow),  # charts take seconds of CPU
]

# Runs each command in one process, as `rowcite` does, with a new stdout: a process each would take half a minute.
DRIVER = """
import io, json, os, sys
state, commands = sys.argv[1], json.loads(sys.argv[2])
from rowcite.cli import main
codes = {}
for name, command in commands.items():
    if state == "full":
        new = os.open("/dev/full", os.O_WRONLY)
    elif state == "gone":
        reading, new = os.pipe()
        os.close(reading)
    else:
        new = os.open(os.devnull, os.O_RDONLY)  # as good as closed: it cannot be written to
    os.dup2(new, 1)
    os.close(new)
    sys.stdout = None if state == "closed" else io.TextIOWrapper(open(1, "wb", closefd=False))
    if state == "closed":
        os.close(1)
    sys.argv = ["rowcite", *command]
    print(f"== {name}", file=sys.stderr, flush=True)
    codes[name] = main()
with open("codes.json", "w") as file:
    json.dump(codes, file)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(tmp_path_factory.mktemp("server"), bench=True) as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    lines = "".join(f"Company {number},\n" for number in range(ROWS))
    (tmp_path / "table.csv").write_text(f"name,website\n{lines}")
    whole = small_spec(backend="parallel")
    write_spec(tmp_path, {key: value for key, value in whole.items() if key != "local"})
    return tmp_path


def spent(folder):
    with closing(open_ledger(folder / ".rowcite" / "small", writing=False)) as ledger:
        return ledger.spent(), ledger.state_counts()


@pytest.mark.parametrize(("state", "code", "commands"), FAILING, ids=["full", "closed", "gone", "charts"])
def test_every_command_has_an_exit_code_for_a_stdout_that_fails(folder, server, state, code, commands):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, state, json.dumps(commands)],
        cwd=folder,
        env=environment(PARALLEL_BASE_URL=server.url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    err = done.stderr.decode()
    assert done.returncode == 0, err
    assert json.loads((folder / "codes.json").read_text()) == dict.fromkeys(commands, code)
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert ("stdout" in err) == (code == 5)
    assert spent(folder) == (ROWS * 25_000, {"completed": ROWS})
    assert (folder / "out.csv").exists()


def rowcite(folder, server, redirection, *args):
    """Run the command in a shell with a redirection."""
    line = f'"$0" -m rowcite {" ".join(args)} {redirection}'
    return subprocess.run(
        ["sh", "-c", line, sys.executable],
        cwd=folder,
        env=environment(PARALLEL_BASE_URL=server.url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )


def test_a_full_stdout_is_reported_once_and_the_next_command_sends_nothing(folder, server):
    done = rowcite(folder, server, ">/dev/full", "run", "spec.yaml", "-q", "--json")
    assert (done.returncode, done.stderr.decode().splitlines()) == (
        5,
        ["error: stdout: No space left on device. Make room, then run again"],
    )
    left = json.loads((folder / ".rowcite" / "small" / "run_results.json").read_text())
    assert (left["exit_code"], left["stopped"]) == (
        5,
        "stdout: No space left on device. Make room, then run again",
    )
    again = rowcite(folder, server, "", "run", "spec.yaml", "-q", "--json")
    assert (again.returncode, json.loads(again.stdout)["submitted"]) == (0, 0)


def test_a_table_for_a_closed_stdout_is_not_paid_for(folder, server):
    created = len(server.created())
    done = rowcite(folder, server, ">&-", "run", "spec.yaml", "-o", "-")
    assert (done.returncode, len(server.created())) == (5, created)
    assert b"stdout is closed. Open it, or give --output a file" in done.stderr


@pytest.mark.parametrize("redirection", ["2>/dev/full", ">&- 2>&- <&-"], ids=["full", "closed"])
def test_a_stderr_that_fails_does_not_end_a_command(folder, server, redirection):
    done = rowcite(folder, server, redirection, "run", "spec.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (folder / "out.csv").read_text().count("completed") == ROWS
    assert spent(folder) == (ROWS * 25_000, {"completed": ROWS})


def test_messages_do_not_go_to_stdout_when_stderr_is_closed(folder, server):
    done = rowcite(folder, server, "2>&-", "run", "spec.yaml", "--max-cost", "0", "--json")
    assert done.returncode == 6
    assert json.loads(done.stdout)["exit_code"] == 6


def test_a_reader_of_stderr_that_goes_away_does_not_end_a_command(folder, server):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rowcite", "run", "spec.yaml", "-v"],
            cwd=folder,
            env=environment(PARALLEL_BASE_URL=server.url),
            stdin=subprocess.DEVNULL,
            stderr=writing,
            timeout=300,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 0
    assert (folder / "out.csv").read_text().count("completed") == ROWS


@pytest.mark.parametrize("command", ["export", "backup"])
def test_the_ledger_is_not_exported_to_stdout(folder, monkeypatch, command):
    monkeypatch.chdir(folder)
    assert main(["ledger", command, "spec.yaml", "-o", "-"]) == 2
    assert not (folder / "-").exists()
