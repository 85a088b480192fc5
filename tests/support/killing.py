"""Kill the command with SIGKILL, run it again, and read what both did."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from rowcite.api.facts import PROCESSORS
from rowcite.ledger import open_ledger
from support import Server, rowcite, started

RUN = ("run", "spec.yaml", "--escalate-anyway")
"""Without a terminal there is no prompt before most rows are escalated."""


def run(folder: Path, server: Server) -> dict[str, Any]:
    """Run the command to its end and return its JSON summary."""
    done = rowcite(*RUN, "--base-url", server.url, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def killed(
    folder: Path,
    server: Server,
    when: Callable[[subprocess.Popen[bytes]], object],
    command: Sequence[str] = RUN,
) -> bool:
    """Start the command and kill it once `when` returns; return True if it was still running."""
    process = started(*command, "-q", "--base-url", server.url, cwd=folder)
    try:
        when(process)
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
    finally:
        process.communicate()
    return alive


def output(folder: Path) -> pl.DataFrame:
    """Return the output table without the column of run ids, which differ between runs."""
    frame = pl.read_csv(folder / "out.csv", infer_schema=False)
    return frame.drop([name for name in frame.columns if name == "rowcite_run_id"])


def created(server: Server) -> Counter[tuple[str, str]]:
    """Return the number of runs created for each (processor, hash of the input)."""
    return Counter((line["processor"], line["input_sha256"]) for line in server.created())


def spent(folder: Path) -> int:
    """Return the spend in the ledger, in micro-US$."""
    ledger = open_ledger(folder / ".rowcite" / "small", writing=False)
    try:
        return ledger.spent()
    finally:
        ledger.close()


def price(made: Counter[tuple[str, str]]) -> int:
    """Return the list price of runs, in micro-US$."""
    return sum(PROCESSORS[processor].price * count for (processor, _), count in made.items())
