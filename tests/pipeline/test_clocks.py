"""A wall clock that is set while a run works: nothing is paid twice, waits long or lands on another row.

`ROWCITE_CLOCKS` is the number of seeded cases (default 6).
"""

import csv
import json
import os
import random
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from rowcite.api.client import Client
from rowcite.api.failures import retry_after
from rowcite.api.keys import canonical
from rowcite.cli import main
from rowcite.ledger import Ledger
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from support import write_spec
from support.deviant import Deviations
from support.submitting import PRICE, Submission, api, tasks, whole

CASES = int(os.environ.get("ROWCITE_CLOCKS", "6"))
DAY = 86_400.0
STEPS = (-DAY, -10.0, 60.0, DAY)
MOMENTS = {
    "create": (Ledger, "record_intent"),
    "lost answer": (Ledger, "mark_sending"),
    "settle": (Client, "group"),
    "follow": (Client, "group_runs"),
    "save": (Ledger, "save"),
}
LONGEST = 60.0  # seconds; the longest wait that a case needs is below two


class Clock:
    """The wall clock of this process, set forward or back by `step`."""

    def __init__(self, monkeypatch):
        self._real, self._offset = time.time, 0.0
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(time, "time", lambda: self._real() + self._offset)

    def step(self, seconds):
        self._offset += seconds

    def step_at(self, moment, seconds, nth=1):
        """Set the clock right before the nth call at a moment."""
        owner, name = MOMENTS[moment]
        real, calls = getattr(owner, name), []

        def stepping(*args, **more):
            calls.append(1)
            if len(calls) == nth:
                self.step(seconds)
            return real(*args, **more)

        self._monkeypatch.setattr(owner, name, stepping)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def interrupted(job, some, seconds, **terms):
    with suppress(TimeoutError):
        job.run(some, deadline=seconds, **terms)


# --- a lost POST -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_runs_that_a_lost_post_creates_late_are_awaited_although_the_clock_is_set(opened, clock, step):
    job = opened(Deviations(late=0.5))
    some = tasks(job.question, 10)
    clock.step_at("settle", step)
    job.run(some, deadline=LONGEST, reconcile_after=1.2)
    whole(job, some)


@pytest.mark.parametrize("step", STEPS)
def test_runs_of_an_interrupted_command_are_awaited_although_the_clock_is_set(opened, clock, step):
    job = opened(Deviations(late=1.0))
    some = tasks(job.question, 10)
    interrupted(job, some, 0.3)
    clock.step(step)
    job.run(some, deadline=LONGEST, reconcile_after=1.5)
    whole(job, some)


def test_a_time_of_sending_in_the_future_makes_no_command_wait(opened, clock):
    job = opened(Deviations(keep=0))
    some = tasks(job.question, 10)
    clock.step(DAY)
    interrupted(job, some, 0.3, reconcile_after=60.0)
    clock.step(-DAY)
    job.run(some, deadline=LONGEST, reconcile_after=0.5)
    whole(job, some)


def test_commands_that_end_early_wait_together_for_the_runs_of_a_lost_post(opened):
    job = opened(Deviations(keep=0))
    some = tasks(job.question, 10)
    job.interrupt(some, lambda: job.progress.messages, reconcile_after=600.0)
    for _ in range(30):  # on a quick machine 3 are enough
        end = time.monotonic() + 0.6
        job.interrupt(
            some,
            lambda end=end: time.monotonic() > end or len(job.api.deviant.posts) > 1,
            reconcile_after=1.5,
        )
        if job.api.created():
            break
    job.run(some, deadline=LONGEST, reconcile_after=600.0)  # nothing is left to wait for
    whole(job, some)


def test_commands_that_end_early_do_not_give_up_late_runs_of_a_lost_post(opened):
    job = opened(Deviations(late=1.0))
    some = tasks(job.question, 10)
    for _ in range(4):
        interrupted(job, some, 0.3, reconcile_after=1.5)
    job.run(some, deadline=LONGEST, reconcile_after=1.5)
    whole(job, some)


def test_many_lost_posts_of_an_interrupted_command_are_awaited_at_the_same_time(opened):
    job = opened()
    some = tasks(job.question, 6)
    with job.ledger() as ledger:
        number = ledger.record_question(job.question.fingerprint, canonical(job.question.named))
        for task in some:
            group = httpx.post(f"{job.api.url}/v1/tasks/groups", json={}).json()["taskgroup_id"]
            ledger.record_intent(number, group, [task], processor="core", price=PRICE)
    began = time.monotonic()
    job.run(some, reconcile_after=1.5)
    assert 1.5 < time.monotonic() - began < 6 * 1.5
    whole(job, some)


def test_a_completed_run_without_output_does_not_fail_because_the_clock_is_set(opened, clock):
    job = opened(Deviations(drop_outputs=True, completed_without="null"))
    some = tasks(job.question, 3)
    clock.step_at("follow", DAY + 60)
    with pytest.raises(Exception, match="its output is not returned"):
        job.run(some)
    assert job.states() == {"submitted": 3}


# --- what is new ------------------------------------------------------------------------------------------


class Echo:
    """Answers with the name that it is given; a pack's record for each name, except for `unanswered`."""

    unanswered = ()

    def research(self, question):
        records = question.input.get("records")
        if records is None:
            return Finding("json", {"city": f"city of {question.input['name']}"}, (), None, 1, ())
        found = [{"key": item["key"], "city": f"city of {item['name']}"} for item in records]
        kept = [item for item in found if item["city"].removeprefix("city of ") not in self.unanswered]
        return Finding("json", {"records": kept}, (), None, 1, ())


class Table:
    """A table of 30 names, a spec, and the real command in this process."""

    def __init__(self, folder, researcher, **changes):
        self.folder, self.researcher = folder, researcher
        self.journal = folder / "journal.jsonl"
        (folder / "in.csv").write_text("name\n" + "".join(f"Name {number}\n" for number in range(30)))
        task = {
            "processor": "core",
            "inputs": {"name": {"column": "name"}},
            "outputs": {"city": "string"},
            **changes.pop("task", {}),
        }
        spec = {
            "name": "c",
            "input": {"path": "in.csv"},
            "output": {"path": "out.csv"},
            "task": task,
            **changes,
        }
        self.spec = write_spec(folder, spec)

    def run(self, *flags):
        """Run the command; return the number of runs that were created."""
        before = self.created()
        with embedded(
            create_app(self.researcher, ServerSettings(journal=self.journal, packs_whole=True))
        ) as url:
            assert main(["run", str(self.spec), "--base-url", url, "-q", "--yes", *flags]) == 0
        return self.created() - before

    def created(self):
        if not self.journal.exists():
            return 0
        return sum("input_sha256" in json.loads(line) for line in self.journal.read_text().splitlines())

    def cities(self):
        with (self.folder / "out.csv").open(newline="") as file:
            return [row["city"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["create", "save"])
def test_fresh_requests_each_packed_row_once_although_the_clock_is_set(tmp_path, clock, moment, step):
    table = Table(tmp_path, Echo(), task={"records_per_run": 10})
    clock.step_at(moment, step)
    assert table.run("--fresh") == 3
    assert table.cities() == [f"city of Name {number}" for number in range(30)]


@pytest.mark.parametrize("step", STEPS)
def test_a_maximum_age_does_not_make_this_commands_answers_old(tmp_path, clock, step):
    table = Table(tmp_path, Echo(), task={"records_per_run": 10}, cache={"max_age": "1h"})
    clock.step_at("save", step)
    assert table.run() == 3


@pytest.mark.parametrize("step", STEPS)
def test_rows_that_a_pack_leaves_out_are_requested_once_although_the_clock_is_set(tmp_path, clock, step):
    echo = Echo()
    echo.unanswered = ("Name 3", "Name 14")
    table = Table(tmp_path, echo, task={"records_per_run": 10})
    clock.step_at("save", step)
    assert table.run("--fresh", "--retry-failed") == 5
    assert table.cities() == [f"city of Name {number}" for number in range(30)]


@pytest.mark.parametrize("step", STEPS)
def test_fresh_escalates_each_row_once_although_the_clock_is_set(tmp_path, clock, step):
    table = Table(tmp_path, Echo(), accept={"min_citations": 1}, escalate=["pro"])
    clock.step_at("save", step, nth=2)
    assert table.run("--fresh", "--escalate-anyway") == 60


# --- the clocks of others ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [-DAY, DAY])
def test_a_date_in_retry_after_is_meant_by_the_clock_of_its_response(step):
    there = datetime.now(UTC) + timedelta(seconds=step)
    after, date = (format_datetime(moment, usegmt=True) for moment in (there + timedelta(seconds=20), there))
    assert retry_after(after, date) == 20


@pytest.mark.parametrize("step", STEPS)
def test_the_servers_runs_end_although_the_clock_is_set(opened, clock, step):
    job = opened(latency=0.002)
    some = tasks(job.question, 10)
    clock.step_at("follow", step)
    job.run(some, deadline=LONGEST)
    whole(job, some)


# --- seeded cases -----------------------------------------------------------------------------------------


def deviations(dice):
    lost = dice.choice(({"late": dice.uniform(0.1, 0.5)}, {"keep": dice.choice((0, 3, 8))}, {}))
    listed = {"list_lag": dice.choice((0.0, 0.2)), "list_ended_only": dice.random() < 0.3}
    return Deviations(**lost, **listed, drop_metadata=dice.random() < 0.2, shuffle=dice.random() < 0.3)


@pytest.mark.parametrize("seed", range(CASES))
def test_a_clock_that_is_set_at_any_step_costs_nothing(tmp_path, monkeypatch, seed):
    dice = random.Random(seed)
    clock = Clock(monkeypatch)
    with api(tmp_path, deviations(dice), latency=dice.choice((0.0, 0.002))) as server:
        job = Submission(tmp_path, server)
        some = tasks(job.question, 20)
        terms = {"active_runs": dice.choice((8, 20)), "reconcile_after": 1.2}
        moments = [*MOMENTS, "resume"]
        for moment in (moments[seed % len(moments)], *dice.sample(moments, dice.randrange(2))):
            if moment != "resume":
                clock.step_at(moment, dice.choice(STEPS), nth=dice.randrange(1, 3))
                continue
            interrupted(job, some, dice.uniform(0.05, 0.8), **terms)
            clock.step(dice.choice(STEPS))
        job.run(some, deadline=LONGEST, **terms)
        whole(job, some)
