"""Runs that two clients pay for on one table, when all goes well and when it does not: `make versus`, a minute or two.

rowcite and the official `parallel-cli` enrich 400 rows, 200 of them distinct, against `rowcite serve --bench`. Its
journal counts the runs that were created: each is paid for. Writes benchmarks/versus.md.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bed import FIELDS, HERE, MACHINE, PYTHON, Server, make_spec, make_table, server
from peer import PEER, enrich, installed, peer_environment

ROWS, DISTINCT, PRICE = 400, 200, 0.025
SLOW = ("--latency-mean", "2")
LOST = '{"http": [{"method": "POST", "path": "/runs$", "nth": [1], "when": "after", "cut": true}]}'
Client = Callable[[Path, Server], subprocess.Popen[bytes]]


def rowcite(folder: Path, at: Server) -> subprocess.Popen[bytes]:
    """Start rowcite; its ledger is in the folder."""
    spec = make_spec(folder, out="ours.csv")
    command = (PYTHON, "-m", "rowcite", "run", str(spec), "--yes", "--base-url", at.url, "--ledger", "ledger")
    return _started(command, folder, dict(os.environ))


def official(folder: Path, at: Server) -> subprocess.Popen[bytes]:
    """Start `parallel-cli enrich run`."""
    peer = installed()
    assert peer is not None
    return _started(enrich(peer, FIELDS), folder, {**os.environ, **peer_environment(at.url, folder)})


def _started(
    command: list[str | Path] | tuple[str, ...], folder: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)


def undisturbed(client: Client, folder: Path, at: Server) -> None:
    """Run a client to its end."""
    client(folder, at).wait()


def killed(client: Client, folder: Path, at: Server) -> None:
    """Kill a client while it waits for answers, then run it again."""
    process = client(folder, at)
    while created(at) < DISTINCT and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    client(folder, at).wait()


def repeated(client: Client, folder: Path, at: Server) -> None:
    """Run a client twice."""
    for _ in range(2):
        client(folder, at).wait()


CASES = (
    ("one command", undisturbed, SLOW),
    ("the same command again, the next day", repeated, ()),
    ("killed while answers are awaited, then the same command again", killed, SLOW),
    ("the connection breaks before the response to the first POST", undisturbed, ("--faults", LOST)),
)


def created(at: Server) -> int:
    """Return the number of runs that the server created."""
    lines = at.journal.read_text().split("\n")[:-1] if at.journal.exists() else []
    return sum("input_sha256" in json.loads(line) for line in lines)


def measured(client: Client, case: Callable[[Client, Path, Server], None], flags: tuple[str, ...]) -> str:
    """Return what a client paid for in a case: runs, US$ and rows of its table."""
    with tempfile.TemporaryDirectory(prefix="rowcite-versus-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", ROWS, DISTINCT)
        with server(folder, "--journal", str(folder / "journal.jsonl"), *flags) as at:
            case(client, folder, at)
            runs = created(at)
        out = folder / ("ours.csv" if client is rowcite else "peer.csv")
        table = "" if out.exists() else ", no table"
    return f"{runs} runs, ${runs * PRICE:.2f}{table}"


def main() -> None:
    """Compare the clients in every case."""
    lines = [
        f"Measured by `make versus` on {MACHINE}: {ROWS} rows, {DISTINCT} of them distinct, at ${PRICE} a run.",
        "",
        f"| what happens | rowcite | `{PEER}` |",
        "| --- | --- | --- |",
    ]
    for what, case, flags in CASES:
        lines.append(f"| {what} | {measured(rowcite, case, flags)} | {measured(official, case, flags)} |")
        print(lines[-1])
    (HERE / "versus.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.pop("PARALLEL_API_KEY", None)
    if installed() is None:
        sys.exit(f"{PEER} cannot be installed")
    main()
