"""Two commands on one ledger although a lock should prevent it: the later one continues, the earlier one sends nothing more.

`ROWCITE_INTERLEAVINGS` is the number of seeded cases (default 3).
"""

import csv
import os
import random
import re
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from rowcite.errors import LedgerBusy, LedgerError
from rowcite.ledger import Ledger, open_ledger, opening
from support import small_spec, started, until, write_spec
from support.deviant import Deviations
from support.submitting import PRICE, Submission, api, tasks

CASES = int(os.environ.get("ROWCITE_INTERLEAVINGS", "3"))
ROWS = 30
WRITES = ("begin_command", "record_intent", "mark_sending", "record_created", "forget_uncreated", "save")


class Command(threading.Thread):
    """A submission in a thread, with its own connection and event loop, that deletes the lock file of the others."""

    def __init__(self, job, some, delay, **terms):
        super().__init__()
        self.job, self.some, self.delay, self.terms = job, some, delay, terms
        self.error = None

    def run(self):
        time.sleep(self.delay)
        try:
            while self._is_locked_out():
                pass
        except Exception as error:  # noqa: BLE001 - the test reads it
            self.error = error

    def _is_locked_out(self):
        """Submit without the lock; return True if another command locked the ledger in between."""
        (self.job.folder / "ledger" / "lock").unlink(missing_ok=True)
        try:
            self.job.run(self.some, **self.terms)
        except LedgerBusy:
            return True
        return False


def slow_down(monkeypatch, dice):
    """Make each write of a ledger wait for a random time before it, outside its transaction."""

    def slowed(real):
        def slow(self, *args, **more):
            time.sleep(dice.choice((0.0, 0.0, dice.uniform(0, 0.06))))
            return real(self, *args, **more)

        return slow

    for name in WRITES:
        monkeypatch.setattr(Ledger, name, slowed(getattr(Ledger, name)))


def lost(dice):
    """Return deviations that sometimes lose the first POST."""
    return Deviations(
        **dice.choice(({}, {}, {"late": 0.3}, {"keep": dice.choice((0, 3))})),
        list_lag=dice.choice((0.0, 0.1)),
    )


@pytest.mark.parametrize("seed", range(CASES))
def test_no_run_is_created_twice_by_commands_that_do_not_share_a_lock(tmp_path, monkeypatch, seed):
    dice = random.Random(seed)
    slow_down(monkeypatch, dice)
    with api(tmp_path, lost(dice), latency=dice.choice((0.0, 0.001, 0.003))) as server:
        some = tasks(Submission(tmp_path, server).question, ROWS)
        delays = (0.0, dice.uniform(0.0, 1.2), *([dice.uniform(0.3, 1.5)] if dice.random() < 0.3 else []))
        terms = {"active_runs": dice.choice((4, 10)), "reconcile_after": 1.5}
        commands = [Command(Submission(tmp_path, server), some, delay, **terms) for delay in delays]
        for command in commands:
            command.start()
        for command in commands:
            command.join(60)
        errors = [command.error for command in commands]
        assert all(error is None or "another rowcite has begun" in str(error) for error in errors), errors
        assert None in errors
        job = commands[0].job
        assert server.paid_twice() == 0
        assert len(server.created()) == ROWS
        assert job.misplaced(some) == []
        assert job.spent() == ROWS * PRICE


def test_commands_that_create_a_ledger_at_the_same_time_use_one_file(tmp_path, monkeypatch):
    """The second one creates its file while the first one is between its check and its own file."""
    made, create = [], opening._create

    def late(folder, form):
        if not made:
            made.append(folder)
            (folder / "lock").unlink()
            with closing(open_ledger(folder, writing=True)) as other:
                made.append(other.record_question(b"f", b"{}"))
        create(folder, form)

    monkeypatch.setattr(opening, "_create", late)
    with closing(open_ledger(tmp_path / "ledger", writing=True)) as ledger:
        assert ledger.record_question(b"f", b"{}") == made[1]  # and not a new question in a new file
        assert ledger._one("SELECT count(*) FROM question") == 1
    assert {file.name for file in (tmp_path / "ledger").iterdir()} == {".gitignore", "ledger.db", "lock"}


def test_a_command_sends_nothing_after_a_later_one_has_begun(opened):
    job = opened()
    some = tasks(job.question, 4)
    with job.ledger() as first:
        first.begin_command()
        number = first.record_question(job.question.fingerprint, b'{"api": "x"}')
        sent, unsent = (
            first.record_intent(number, group, [task], processor="core", price=PRICE)
            for group, task in zip("gh", some, strict=False)
        )
        first.mark_sending(sent)
        (job.folder / "ledger" / "lock").unlink()
        with job.ledger() as second:
            second.begin_command()
            for decides in (
                lambda: first.mark_sending(unsent),
                lambda: first.record_intent(number, "i", some[2:3], processor="core", price=PRICE),
                lambda: first.forget_uncreated(unsent.id, [some[1].key]),
                lambda: first.mark_refused(unsent.id, some[1].key, "no", None),
                lambda: first.mark_lost(unsent.id),
            ):
                with pytest.raises(LedgerError, match="another rowcite has begun to use this ledger"):
                    decides()
            first.record_created(sent.id, ["run-1"])  # what the first one received is kept
            assert {batch.group_id: batch.unsure for batch in second.active_batches()} == {
                "g": False,
                "h": True,
            }


def commands(folder):
    with closing(sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)) as db:
        return db.execute("SELECT max(id) FROM command").fetchone()[0]


def moved(process):
    """Let a stopped process run for a moment: it may have stopped in a transaction, for which others wait."""
    process.send_signal(signal.SIGCONT)
    time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)


@pytest.mark.slow
def test_two_processes_without_a_shared_lock_pay_for_each_row_once(tmp_path):
    lines = "".join(f"Company {number},\n" for number in range(ROWS))
    (tmp_path / "table.csv").write_text(f"name,website\n{lines}")
    write_spec(tmp_path, small_spec(backend="parallel", limits={"active_runs": 5}))
    with api(tmp_path, latency=0.005) as server:
        first = started("run", "spec.yaml", "-q", "--base-url", server.url, cwd=tmp_path)
        until(lambda: len(server.created()) >= 5, 120)
        first.send_signal(signal.SIGSTOP)  # it would end before the second has begun
        folder = tmp_path / ".rowcite" / "small"
        (folder / "lock").unlink()
        second = started("run", "spec.yaml", "-q", "--base-url", server.url, cwd=tmp_path)
        until(lambda: commands(folder) == 2 or moved(first), 120)
        first.send_signal(signal.SIGCONT)
        _, errors = first.communicate(timeout=300)
        _, none = second.communicate(timeout=300)
        assert (first.returncode, second.returncode) == (5, 0), (errors, none)
        assert b"another rowcite has begun to use this ledger" in errors
        assert re.fullmatch(rb"(warning: a command ended while it created .*\n)?", none), none
        assert server.paid_twice() == 0
        assert len(server.created()) == ROWS
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["rowcite_status"] for row in csv.DictReader(file)] == ["completed"] * ROWS
