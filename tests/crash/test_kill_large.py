"""Kill the command while it plans, submits, merges and writes a table of `ROWCITE_CRASH_ROWS` distinct rows.

The default is 3,000 rows, in three batches or more; `--log-level=INFO -rP` shows the figures.
"""

import logging
import os
import random
import time

import pytest

from rowcite.local.server.latency import Lognormal
from support import served, small_spec, until, write_spec
from support.killing import created, killed, output, price, run, spent

ROWS = int(os.environ.get("ROWCITE_CRASH_ROWS", "3000"))
SEED = int(os.environ.get("ROWCITE_KILL_SEED", "1"))
LOG = logging.getLogger("crash")
LONGEST = 60 + ROWS / 50  # seconds, the longest that any step may take
LATENCY = Lognormal(0.05)


def prepared(folder):
    lines = (f"Company {number},https://www.company{number}.example/about" for number in range(ROWS))
    (folder / "table.csv").write_text("\n".join(["name,website", *lines]) + "\n")
    write_spec(
        folder,
        small_spec(
            backend="parallel",
            limits={"max_cost_usd": 1_000_000, "active_runs": min(10_000, max(1_000, ROWS // 10))},
        ),
    )


class Moments:
    """Conditions that hold in one phase of the command only."""

    def __init__(self, folder, server, dice):
        self.folder, self.server, self.dice = folder, server, dice
        self.seen = {}

    def planning(self):
        lock = self.folder / ".rowcite" / "small" / "lock"
        return lock.exists()

    def submitting(self, share):
        return self.runs() >= share * ROWS

    def merging(self):
        return self.beside() is not None

    def writing(self):
        size = self.beside()
        return size is not None and size >= 20 * ROWS

    def runs(self):
        file = self.server.journal_file
        return file.read_bytes().count(b'"input_sha256"') if file.exists() else 0

    def beside(self):
        """Return the size of the temporary table beside the output, or None without one."""
        for file in self.folder.glob(".*.tmp"):
            try:
                return file.stat().st_size
            except FileNotFoundError:
                pass
        return None

    def kill(self, phase, true):
        """Run the command, kill it when a condition holds, and record the runs created by then."""
        began = time.monotonic()

        def when(process):
            until(lambda: true() or process.poll() is not None, LONGEST)
            time.sleep(self.dice.uniform(0, 0.02))

        alive = killed(self.folder, self.server, when)
        runs, size = self.runs(), self.beside() or 0
        self.seen[phase] = (alive, runs)
        outcome = "killed" if alive else "had ended"
        LOG.info(
            "%s: %s after %.1f s, %d runs created, %d bytes written beside",
            phase,
            outcome,
            time.monotonic() - began,
            runs,
            size,
        )
        for file in self.folder.glob(".*.tmp"):  # left by the killed command
            file.unlink()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    prepared(folder)
    with served(folder, bench=True, latency=LATENCY) as server:
        began = time.monotonic()
        run(folder, server)
        LOG.info("%d rows undisturbed: %.1f s", ROWS, time.monotonic() - began)
    return output(folder)


@pytest.mark.slow
def test_after_kills_in_every_phase_of_a_large_table_nothing_is_lost_or_paid_twice(tmp_path, undisturbed):
    prepared(tmp_path)
    with served(tmp_path, bench=True, latency=LATENCY) as server:
        moments = Moments(tmp_path, server, random.Random(SEED))
        moments.kill("planning", moments.planning)
        moments.kill("submitting", lambda: moments.submitting(0.3))
        moments.kill("submitting more", lambda: moments.submitting(0.7))
        moments.kill("merging", moments.merging)
        moments.kill("writing", moments.writing)
        began = time.monotonic()
        summary = run(tmp_path, server)
        made = created(server)
    LOG.info("last command: %.1f s, %d runs submitted by it", time.monotonic() - began, summary["submitted"])
    assert moments.seen["planning"] == (True, 0)
    assert moments.seen["submitting"][0]
    assert 0 < moments.seen["submitting"][1] < ROWS
    assert output(tmp_path).equals(undisturbed)
    assert len(made) == ROWS
    assert set(made.values()) == {1}
    assert spent(tmp_path) == price(made)
