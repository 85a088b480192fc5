"""The ledger on real SQLite files: its content after any order of events."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rowcite.errors import LedgerError
from rowcite.ledger import open_ledger
from rowcite.model import EndedRun, RunState
from support import examples
from support.answers import runs_of
from support.ledgers import BODY, PRICE, batch, done, keyed, task

ENDS = [RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.ACTION_REQUIRED]


# --- in any order ----------------------------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """The ledger compared with a model: a dict of each run's state by batch and key."""

    @initialize()
    def begin(self):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.ledger = open_ledger(self.path, writing=True)
        self.question = self.ledger.record_question(b"f", BODY)
        self.runs = {}  # (batch, key) -> state
        self.outputs = {}
        self.batches = []

    def teardown(self):
        self.ledger.close()
        self.folder.cleanup()

    def of(self, batch, *states):
        return [key for (number, key), state in self.runs.items() if number == batch.id and state in states]

    def unanswered(self, numbers):
        """Return the tasks that a run would send: never sent, or ended without an answer."""
        states = self.ledger.task_states([keyed(n) for n in numbers])
        free = (None, RunState.FAILED, RunState.REFUSED, RunState.CANCELLED, RunState.ACTION_REQUIRED)
        return [n for n in numbers if states.get(keyed(n)) in free]

    @rule(numbers=st.sets(st.integers(0, 9), min_size=1))
    def record_intent(self, numbers):
        some = [task(n) for n in self.unanswered(sorted(numbers))]
        if some:
            made = self.ledger.record_intent(
                self.question, f"g{len(self.batches)}", some, processor="core", price=PRICE
            )
            self.batches.append(made)
            self.runs.update({(made.id, one.key): RunState.INTENDED for one in some})

    @rule(data=st.data(), everything=st.booleans())
    def answered(self, data, everything):
        if self.batches:
            one = data.draw(st.sampled_from(self.batches))
            held = self.of(one, *RunState)
            self.ledger.record_created(
                one.id, [f"id{n}" for n in range(len(held) if everything else len(held) + 1)]
            )
            if everything:
                self.runs.update(
                    {(one.id, key): RunState.SUBMITTED for key in self.of(one, RunState.INTENDED)}
                )

    @rule(data=st.data())
    def seen(self, data):
        if self.batches:
            one = data.draw(st.sampled_from(self.batches))
            keys = data.draw(st.lists(st.sampled_from(sorted(one.inputs)), unique=True))
            self.ledger.record_run_ids(one.id, [(key, f"run-{key.hex()}") for key in keys])
            for key in keys:
                if self.runs.get((one.id, key)) is RunState.INTENDED:
                    self.runs[one.id, key] = RunState.SUBMITTED

    @rule(data=st.data())
    def forget_uncreated(self, data):
        if self.batches:
            one = data.draw(st.sampled_from(self.batches))
            keys = data.draw(st.lists(st.sampled_from(sorted(one.inputs)), unique=True))
            self.ledger.forget_uncreated(one.id, keys)
            for key in keys:
                if self.runs.get((one.id, key)) is RunState.INTENDED:
                    self.runs[one.id, key] = RunState.LOST

    @rule(data=st.data())
    def refused(self, data):
        if self.batches:
            one = data.draw(st.sampled_from(self.batches))
            key = data.draw(st.sampled_from(sorted(one.inputs)))
            self.ledger.mark_refused(one.id, key, "no", None)
            if self.runs.get((one.id, key)) is RunState.INTENDED:
                self.runs[one.id, key] = RunState.REFUSED

    @rule(data=st.data(), state=st.sampled_from(ENDS))
    def save(self, data, state):
        if self.batches:
            one = data.draw(st.sampled_from(self.batches))
            keys = data.draw(st.lists(st.sampled_from(sorted(one.inputs)), unique=True))
            output = b"{}" if state is RunState.COMPLETED else None
            self.ledger.save(one.id, [EndedRun(key, f"r{key.hex()}", state, output) for key in keys])
            for key in keys:
                if self.runs.get((one.id, key)) in (RunState.INTENDED, RunState.SUBMITTED):
                    self.runs[one.id, key] = state

    @rule(data=st.data())
    def lost(self, data):
        if self.batches:
            one = data.draw(st.sampled_from(self.batches))
            self.ledger.mark_lost(one.id)
            for key in self.of(one, RunState.INTENDED, RunState.SUBMITTED):
                self.runs[one.id, key] = RunState.LOST

    @rule()
    def reopen(self):
        self.ledger.close()
        self.ledger = open_ledger(self.path, writing=True)

    @invariant()
    def no_task_has_two_active_runs(self):
        for number in range(10):
            open_runs = [
                s
                for (_, key), s in self.runs.items()
                if key == keyed(number) and s in ("intended", "submitted")
            ]
            assert len(open_runs) <= 1

    @invariant()
    def spent_is_the_price_of_every_run_that_may_exist(self):
        assert self.ledger.spent() == PRICE * sum(s not in ("refused", "lost") for s in self.runs.values())

    @invariant()
    def states_and_runs_agree_with_the_model(self):
        keys = [keyed(n) for n in range(10)]
        expected = {}
        for (_, key), state in self.runs.items():
            if state is not RunState.LOST:
                expected.setdefault(key, []).append(state)
        found = self.ledger.task_states(keys)
        held = runs_of(self.ledger, keys)
        assert found.keys() == held.keys() == expected.keys()
        for key, states in expected.items():
            best = max(states, key=lambda s: 2 if s == "completed" else s in ("intended", "submitted"))
            assert _class(found[key]) == _class(held[key].state) == _class(best)
            assert (held[key].output is not None) == (held[key].state is RunState.COMPLETED)

    @invariant()
    def active_batches_are_those_with_active_runs(self):
        active = {(number, key) for (number, key), s in self.runs.items() if s in ("intended", "submitted")}
        found = self.ledger.active_batches()
        assert {(one.id, key) for one in found for key in one.active} == active
        for one in found:
            assert one.unsure == bool(self.of(one, RunState.INTENDED))
            assert one.active <= one.inputs.keys()


def _class(state):
    return "done" if state == "completed" else "open" if state in ("intended", "submitted") else "bad"


AnyOrder.TestCase.settings = settings(
    max_examples=examples(25),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedgerInAnyOrder = AnyOrder.TestCase


# --- single promises -------------------------------------------------------------------------------------


def test_an_answer_is_stored_byte_for_byte(ledger):
    one = batch(ledger, 1)
    raw = '{"content": {"a":  "\u2028é"}, "basis":[]}'.encode()
    ledger.save(one.id, [EndedRun(keyed(1), "r", RunState.COMPLETED, raw)])
    assert runs_of(ledger, [keyed(1)])[keyed(1)].output == raw


def save(ledger, batch, runs, *, together):
    """Save runs in one transaction, or in one each."""
    for some in [runs] if together else [[run] for run in runs]:
        ledger.save(batch.id, some)


@pytest.mark.parametrize("together", [True, False])
def test_a_run_that_is_saved_again_keeps_its_first_answer(ledger, together):
    one = batch(ledger, 1)
    again = EndedRun(keyed(1), "other", RunState.FAILED, error="no")
    save(ledger, one, [done(1), again], together=together)
    ledger.record_run_ids(one.id, [(keyed(1), "other")])
    found = runs_of(ledger, [keyed(1)])[keyed(1)]
    assert (found.state, found.run_id) == (RunState.COMPLETED, "run-1")


@pytest.mark.parametrize("together", [True, False])
def test_a_failed_run_that_is_saved_again_gets_no_answer(ledger, together):
    one = batch(ledger, 1)
    failed = EndedRun(keyed(1), "r", RunState.FAILED, error="no", ref_id="ref")
    save(ledger, one, [failed, done(1)], together=together)
    found = runs_of(ledger, [keyed(1)])[keyed(1)]
    assert (found.state, found.output, found.error, found.ref_id) == (RunState.FAILED, None, "no", "ref")


def test_an_answer_from_before_the_given_time_is_left_out(ledger):
    import time

    ledger.save(batch(ledger, 1).id, [done(1)])
    assert ledger.task_states([keyed(1)], not_before=time.time() + 1) == {}
    assert ledger.task_states([keyed(1)], not_before=time.time() - 60) == {keyed(1): RunState.COMPLETED}


def test_an_active_run_does_not_hide_an_older_answer(ledger):
    ledger.save(batch(ledger, 1).id, [done(1)])
    batch(ledger, 1)
    assert runs_of(ledger, [keyed(1)])[keyed(1)].state is RunState.COMPLETED


def test_warnings_are_counted_by_run(ledger):
    one = batch(ledger, 1, 2, 3)
    ledger.save(one.id, [done(1, warnings=("a", "b")), done(2, warnings=("a",)), done(3)])
    assert ledger.warnings() == {"a": 2, "b": 1}


def test_a_task_with_an_active_run_cannot_be_recorded_again(ledger):
    batch(ledger, 1, 2)
    with pytest.raises(LedgerError, match="UNIQUE"):
        batch(ledger, 2, 3, group="h")
    assert ledger.state_counts() == {RunState.INTENDED: 2}


def test_tasks_that_were_not_created_stay_in_a_batch_with_created_ones(ledger):
    one = batch(ledger, 1, 2)
    ledger.record_run_ids(one.id, [(keyed(1), "r")])
    ledger.forget_uncreated(one.id, [keyed(2)])
    assert ledger.active_batches()[0].inputs.keys() == {keyed(1), keyed(2)}
    assert ledger.active_batches()[0].active == {keyed(1)}
    assert keyed(2) not in ledger.task_states([keyed(2)])


def test_a_batch_that_created_nothing_leaves_nothing(ledger):
    one = batch(ledger, 1, 2)
    ledger.forget_uncreated(one.id, [keyed(1), keyed(2)])
    assert ledger.state_counts() == {}


def test_a_response_with_another_number_of_runs_leaves_the_batch_unsure(ledger):
    one = batch(ledger, 1, 2)
    ledger.record_created(one.id, ["only-one"])
    assert ledger.active_batches()[0].unsure
