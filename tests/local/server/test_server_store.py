"""The store, with a clock that the test advances."""

import pytest

from rowcite.api.facts import PROCESSORS
from rowcite.local.server.latency import seconds_taken
from rowcite.local.server.shapes import RunInput
from rowcite.local.server.store import Ending, Output, Store
from rowcite.local.server.validation import AUTO_SPEC, AcceptedRun

DONE = Ending("completed", Output(b"{}"))


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def accepted(count, processor="core"):
    return [AcceptedRun(RunInput(processor, f"question {n}"), AUTO_SPEC, ()) for n in range(count)]


def test_a_new_run_is_queued(clock):
    (run,) = Store(clock).add(accepted(1))
    assert (run.status, run.active, run.group) == ("queued", True, None)


def test_without_latency_a_run_starts_and_ends_at_the_next_advance(clock):
    store = Store(clock)
    (run,) = store.add(accepted(1))
    assert store.advance() == ([run], [])
    store.finish([(run, DONE)])
    assert store.advance() == ([], [run])
    assert (run.status, run.active) == ("completed", False)


def test_with_latency_a_run_waits_runs_and_ends_when_due_however_early_its_answer(clock):
    store = Store(clock, latency=1.0)
    (run,) = store.add(accepted(1))
    assert store.advance() == ([], [])
    clock.now = run.starts
    assert store.advance() == ([run], [])
    store.finish([(run, DONE)])
    assert store.advance() == ([], [])
    clock.now = run.ends
    assert store.advance() == ([], [run])


@pytest.mark.parametrize("step", [-86_400.0, 86_400.0])
def test_a_restored_run_waits_no_longer_than_a_new_one_although_the_clock_was_set(clock, step):
    (run,) = Store(clock, latency=1.0).add(accepted(1))
    takes = run.ends - clock.now
    clock.now += step
    store = Store(clock, latency=1.0)
    store.restore([], [run])
    clock.now += takes + 1e-3
    assert store.advance() == ([run], [])
    store.finish([(run, DONE)])
    assert store.advance() == ([], [run])


def test_next_due_is_the_earliest_moment(clock):
    store = Store(clock, latency=1.0)
    runs = store.add(accepted(20))
    assert store.next_due == min(run.starts for run in runs)


def test_nothing_is_due_while_a_run_waits_for_its_ending(clock):
    store = Store(clock)
    store.add(accepted(1))
    store.advance()
    assert store.next_due is None


def test_modified_at_changes_with_the_status(clock):
    store = Store(clock)
    (run,) = store.add(accepted(1))
    clock.now += 5
    store.advance()
    assert run.created_at == "1970-01-12T13:46:40.000000Z"
    assert run.modified_at == "1970-01-12T13:46:45.000000Z"


def test_group_counts_are_those_of_its_runs(clock):
    store = Store(clock)
    group = store.create_group({"team": "revops"})
    runs = store.add(accepted(3), group)
    assert group.status().task_run_status_counts == {"queued": 3}
    store.advance()
    store.finish([(runs[0], DONE), (runs[1], Ending("failed"))])
    store.advance()
    assert group.status().task_run_status_counts == {"running": 1, "completed": 1, "failed": 1}
    assert group.status().num_task_runs == 3
    assert group.active


def test_a_run_that_needs_action_does_not_keep_its_group_active(clock):
    store = Store(clock)
    group = store.create_group(None)
    (run,) = store.add(accepted(1), group)
    store.advance()
    store.finish([(run, Ending("action_required"))])
    store.advance()
    assert not group.active


def test_the_log_of_a_group_has_each_ending_once_and_ends_with_a_status(clock):
    store = Store(clock)
    group = store.create_group(None)
    runs = store.add(accepted(3), group)
    store.advance()
    store.finish([(run, DONE) for run in runs])
    store.advance()
    assert [entry for entry in group.log if not isinstance(entry, bytes)] == runs
    assert b'"is_active":false' in group.log[-1]


def test_a_busy_group_logs_at_most_one_status_a_second(clock):
    store = Store(clock)
    group = store.create_group(None)
    runs = store.add(accepted(101), group)
    store.advance()
    for run in runs[:100]:
        clock.now += 0.05
        store.finish([(run, DONE)])
        store.advance()
    assert sum(isinstance(entry, bytes) for entry in group.log) <= 6


@pytest.mark.parametrize("processor", PROCESSORS)
def test_latency_1_is_within_the_published_band(processor):
    quickest, slowest = PROCESSORS[processor].seconds
    taken = [seconds_taken(processor, f"trun_{n}", 1.0) for n in range(200)]
    assert quickest <= min(taken) < max(taken) <= slowest


def test_latency_is_the_same_for_the_same_run():
    assert seconds_taken("pro", "trun_1", 1.0) == seconds_taken("pro", "trun_1", 1.0)


def test_latency_scales():
    assert seconds_taken("pro", "trun_1", 0.01) == pytest.approx(seconds_taken("pro", "trun_1", 1.0) / 100)
