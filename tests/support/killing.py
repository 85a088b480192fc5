"""The command killed with SIGKILL and run again: when to kill it, and what must be so afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from rowcite.api.facts import PROCESSORS
from rowcite.ledger import open_ledger
from support import Server, rowcite, started

RUN = ("run", "spec.yaml", "--escalate-anyway")
"""Without a terminal nobody is asked whether most rows may go to a dearer processor."""


def run(folder: Path, server: Server, timeout: float = 120) -> dict[str, Any]:
    """Run to the end and return what the command tells."""
    done = rowcite(*RUN, "--base-url", server.url, "--json", cwd=folder, timeout=timeout)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def killed(folder: Path, server: Server, when: Callable[[subprocess.Popen[bytes]], object]) -> bool:
    """Start the command and kill it when told; return whether it was still running."""
    process = started(*RUN, "-q", "--base-url", server.url, cwd=folder)
    try:
        when(process)
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
    finally:
        process.communicate()
    return alive


def output(folder: Path) -> pl.DataFrame:
    """Return the output without what differs from run to run."""
    frame = pl.read_csv(folder / "out.csv", infer_schema=False)
    return frame.drop([name for name in frame.columns if name == "rowcite_run_id"])


def created(server: Server) -> Counter[tuple[str, str]]:
    """Return what was asked of whom, and how often: (processor, hash of the input)."""
    return Counter((line["processor"], line["input_sha256"]) for line in server.created())


def spent(folder: Path) -> int:
    """Return micro-US$ by the ledger."""
    ledger = open_ledger(folder / ".rowcite" / "small", writing=False)
    try:
        return ledger.spent()
    finally:
        ledger.close()


def price(made: Counter[tuple[str, str]]) -> int:
    """Return micro-US$ of runs by the price list."""
    return sum(PROCESSORS[processor].price * count for (processor, _), count in made.items())
