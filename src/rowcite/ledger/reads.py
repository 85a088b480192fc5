"""What the ledger knows of tasks and their runs: states, answers, spend, decisions."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from rowcite.api.keys import KEY_BYTES
from rowcite.errors import LedgerError
from rowcite.ledger import queries
from rowcite.ledger.store import Store
from rowcite.ledger.stored_answers import intact
from rowcite.model import ACTIVE, FORGOTTEN, ActiveBatch, Decision, RunState, StoredRun

_MAX_ID = (1 << 63) - 1
_MOST_CHECKED = 200_000
_DAMAGED = "the stored answer is damaged"
_ASK_AGAIN = (
    "`rowcite ledger prune SPEC --damaged` forgets it, and the next run requests and pays for it again"
)
_STATES = {state.value: state for state in RunState}


class QuestionAnswers(NamedTuple):
    """A question as it is stored, the tasks that it answered, and those of them with an answer from before a time."""

    named: dict[str, Any]
    answers: int
    older: int


class Reads(Store):
    """Queries on tasks; none of them changes the ledger."""

    # --- tasks ---------------------------------------------------------------------------------------

    def task_states(
        self, keys: Iterable[bytes], *, not_before: float = 0.0, failed_since: float = 0.0
    ) -> dict[bytes, RunState]:
        """Return the state of each task that was ever sent: of its completed run, else its active one, else any.

        Answers from before `not_before` (Unix seconds) are left out, and runs that ended without one before
        `failed_since`; what this command recorded is newer than any time. A lost run counts as never sent.
        """
        with self._reading(), self._wanted(keys):
            rows = self._db.execute(
                f"{queries.STATES} wanted CROSS JOIN run ON run.key = wanted.key", self._this_command
            ).fetchall()
            return _best(rows, not_before, failed_since)

    def scan_states(
        self, *, not_before: float = 0.0, at_once: int = queries.SCANNED
    ) -> Iterator[tuple[RunState, bytes]]:
        """Yield the keys of all tasks by state, many at a time, joined and in no order: faster than `task_states` for most of a ledger.

        A task with several runs comes more than once. `at_once` is the number of runs that are read at a time.
        """
        last = 0
        while last < _MAX_ID:
            first = last + 1
            found = self._each(queries.LAST_SCANNED, (last, at_once - 1))
            last = next((number for (number,) in found), _MAX_ID)
            yield from self._scanned({"first": first, "last": last, "not_before": min(not_before, 1e300)})

    def _scanned(self, part: dict[str, float]) -> list[tuple[RunState, bytes]]:
        with self._reading():
            count, *keys = self._db.execute(queries.SCAN_STATES, {**self._this_command, **part}).fetchone()
            by_state = zip(queries.SCANNED_STATES, keys, strict=True)
            found = [(state, bytes.fromhex(joined)) for state, joined in by_state if joined]
            if sum(len(joined) for _, joined in found) != count * KEY_BYTES:
                raise ValueError("in the place of a state")
            return found

    def run_count(self) -> int:
        """Return an upper bound of the number of runs, without counting them."""
        return int(self._one("SELECT coalesce(max(id), 0) FROM run"))

    def runs_by_task(self, keys: Iterable[bytes]) -> Iterator[list[StoredRun]]:
        """Yield every run of each row, by the key of the row's first task; oldest first."""
        wanted = iter(dict.fromkeys(keys))
        escalated = self._one("SELECT EXISTS (SELECT 1 FROM run WHERE root IS NOT NULL)")
        joins = ("run.key = wanted.key", *(["run.root = wanted.key"] if escalated else []))
        while some := list(islice(wanted, queries.KEYS_AT_ONCE)):
            try:
                yield from self._tasks(some, joins)
            except LedgerError:
                yield from self._readable_tasks(some, joins)

    def _readable_tasks(self, keys: Iterable[bytes], joins: Iterable[str]) -> Iterator[list[StoredRun]]:
        """Yield the runs of each row, and a failed run for a row whose runs are damaged."""
        for key in keys:
            try:
                yield from self._tasks([key], joins)
            except LedgerError as error:
                yield [
                    StoredRun(key, RunState.FAILED, None, "", None, f"{_DAMAGED}: {error.__cause__}", None)
                ]

    def _tasks(self, keys: Sequence[bytes], joins: Iterable[str]) -> list[list[StoredRun]]:
        tasks: dict[bytes, list[StoredRun]] = {}
        for run in self._runs(keys, joins):
            if run.key in tasks:
                tasks[run.key].append(run)
            else:
                tasks[run.key] = [run]
        for runs in tasks.values():
            if len(runs) > 1:
                runs.sort(key=lambda run: run.number)  # SQLite would sort the answers too
        return list(tasks.values())

    def _runs(self, keys: Sequence[bytes], joins: Iterable[str]) -> Iterator[StoredRun]:
        wanted = (*keys, *[None] * (queries.KEYS_AT_ONCE - len(keys)))
        with self._reading():
            for join in joins:
                for row in self._db.execute(
                    queries.RUNS_OF_TASKS.format(join=join), (*wanted, self._command)
                ):
                    run = _stored_run(row)
                    if run.state != row[1]:
                        self._damaged_numbers.add(run.number)
                    yield run

    def damaged_runs(self) -> int:
        """Return the number of completed runs whose answers have been read so far and are damaged."""
        single = "SELECT count(*) FROM run WHERE id = ? AND pack IS NULL"
        return sum(self._one(single, number) for number in self._damaged_numbers)

    def damaged_tasks(self) -> set[bytes]:
        """Return the keys of the tasks whose answers are damaged, without those that have another one.

        Every answer is read, which takes a second for 200,000: of a larger ledger none is returned.
        """
        if self.run_count() > _MOST_CHECKED:
            return set()
        keys = {key for (key,) in self._each(queries.DAMAGED_TASKS)}
        intact = {
            run.key for runs in self.runs_by_task(keys) for run in runs if run.state is RunState.COMPLETED
        }
        return keys - intact

    def packs(self, numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return the price and the number of rows of the pack that each run was sent in; runs of their own are left out."""
        found: dict[int, tuple[int, int]] = {}
        for number in numbers:
            for price, rows in self._each(queries.PACK_OF_RUN, (number,)):
                found[number] = (price, rows)
        return found

    def questions(self, api: str) -> dict[int, dict[str, Any]]:
        """Return each question that was sent to an API, by its number."""
        return {number: json.loads(body) for number, body in self._each(queries.QUESTIONS, (api,))}

    def answers_by_question(
        self, questions: Mapping[int, dict[str, Any]], *, not_before: float = 0.0
    ) -> list[QuestionAnswers]:
        """Return those of some questions that have answers, newest first; escalations are left out. All their runs are read."""
        if not questions:
            return []
        wanted = {"questions": json.dumps(list(questions)), "not_before": min(not_before, 1e300)}
        rows = self._each(queries.ANSWERS_BY_QUESTION, wanted)
        return [QuestionAnswers(questions[number], answers, older) for number, answers, older in rows]

    def runs_by_api(self) -> dict[str, int]:
        """Return the number of answered and active runs at each API that has any."""
        found: dict[str, int] = {}
        for body, runs in self._each(queries.RUNS_BY_QUESTION):
            api = json.loads(body)["api"]
            found[api] = found.get(api, 0) + runs
        return found

    def apis_with_runs(self) -> list[str]:
        """Return the APIs that have answered or active runs: faster than to count the runs."""
        bodies = self._each(queries.QUESTIONS_WITH_RUNS)
        return list(dict.fromkeys(json.loads(body)["api"] for (body,) in bodies))

    # --- runs ----------------------------------------------------------------------------------------

    def active_batches(self) -> list[ActiveBatch]:
        """Return every batch with runs that have not ended, oldest first."""
        with self._reading():
            return self._active_batches()

    def _active_batches(self) -> list[ActiveBatch]:
        batches: dict[int, ActiveBatch] = {}
        now, today = time.monotonic(), time.time()
        for number, group_id, body, sent_at, waited, key, text, state in self._each(queries.ACTIVE_BATCHES):
            if number not in batches:
                age = max(today - sent_at, 0.0)
                batches[number] = ActiveBatch(
                    number, group_id, json.loads(body)["api"], now - waited, unsure=False, age=age - waited
                )
            batch = batches[number]
            batch.inputs[key] = text
            batch.unsure |= state == RunState.INTENDED
            if state in ACTIVE:
                batch.active.add(key)
        for number, pack, key in self._each(queries.MEMBERS_OF_ACTIVE_PACKS):
            members = batches[number].members
            members[pack] = (*members.get(pack, ()), key)
        return list(batches.values())

    def copied_at(self) -> float | None:
        """Return when `ledger backup` made this file (Unix seconds), if nothing was submitted with it since; else None."""
        return next((at for (at,) in self._each(queries.COPIED_AT)), None)

    def unknown_runs(self, run_ids: Collection[str]) -> int:
        """Return how many of these ids of the API belong to no run of the ledger."""
        known = {run_id for (run_id,) in self._each(queries.KNOWN_RUNS, (json.dumps(list(run_ids)),))}
        return len(set(run_ids) - known)

    def spent(self) -> int:
        """Return the list price of every run that was, or may have been, created: micro-US$."""
        return int(self._one(queries.SPENT))

    def submission(self) -> tuple[int, int] | None:
        """Return the budget of the last submission and what was spent since it began, in micro-US$; None without one."""
        for budget, spent in self._each(queries.SUBMISSION):
            return int(budget), int(spent)
        return None

    def parts_to_send_again(self) -> set[bytes]:
        """Return the keys of packed tasks without a part of their pack's answer."""
        return {key for (key,) in self._each(queries.PARTS_TO_SEND_AGAIN, {"lost": RunState.LOST})}

    def state_counts(self) -> dict[RunState, int]:
        """Return the number of runs in each state that has any."""
        with self._reading():
            runs, *counts = self._db.execute(queries.STATE_COUNTS).fetchone()
            if sum(counts) != runs:
                raise ValueError("in the place of a state")
            return {state: count for state, count in zip(RunState, counts, strict=True) if count}

    def escalation_counts(self) -> dict[str, tuple[int, int]]:
        """Return of each processor the number of tasks it answered, and of tasks that were escalated to it."""
        rows = self._each(queries.ESCALATIONS)
        return {processor: (answered, escalated) for processor, answered, escalated in rows}

    def warnings(self) -> dict[str, int]:
        """Return the API's warnings, each with the number of runs that carried it."""
        found: dict[str, int] = {}
        sql = "SELECT warnings, count(*) FROM run WHERE warnings IS NOT NULL GROUP BY warnings"
        with self._reading():
            for texts, runs in self._each(sql):
                for text in json.loads(texts):
                    found[text] = found.get(text, 0) + runs
        return found

    # --- people --------------------------------------------------------------------------------------

    def decisions(
        self, keys: Iterable[bytes] | None = None, *, until: float = math.inf
    ) -> dict[bytes, dict[str, Decision]]:
        """Return the decision that counts on each cell, by task and field; of all tasks if `keys` is None.

        Of the decisions of several reviewers the newest counts. Decisions after `until` (Unix seconds) are left out.
        """
        return {
            key: {name: max(by.values(), key=lambda made: made.at) for name, by in cells.items()}
            for key, cells in self.decisions_by_reviewer(keys, until=until).items()
        }

    def all_decisions(self) -> Iterator[Decision]:
        """Yield the last decision of each reviewer on each cell, without cleared ones."""
        for cells in self.decisions_by_reviewer().values():
            for by in cells.values():
                yield from by.values()

    def decisions_by_reviewer(
        self, keys: Iterable[bytes] | None = None, *, until: float = math.inf
    ) -> dict[bytes, dict[str, dict[str, Decision]]]:
        """Return the last decision of each reviewer on each cell, by task, field and reviewer, without cleared ones.

        The reviewer who decided last comes first.
        """
        found: dict[bytes, dict[str, dict[str, Decision]]] = {}
        if not self._one("SELECT EXISTS (SELECT 1 FROM decision)"):
            return found
        source = "decision" if keys is None else "wanted CROSS JOIN decision USING (key)"
        with self._reading(), self._wanted(keys or ()):
            for row in self._db.execute(queries.DECISIONS.format(source=source)):
                decision = Decision(*row)
                if decision.at <= until:
                    by = found.setdefault(decision.key, {}).setdefault(decision.field, {})
                    by.pop(decision.who, None)
                    by[decision.who] = decision
        return _without_cleared(found)


def _stored_run(row: tuple[Any, ...]) -> StoredRun:
    key, state, run_id, processor, output, error, ref_id, number, *rest, checksum = row
    if output is not None and (output := intact(number, output, checksum)) is None:
        state, error = RunState.FAILED, f"{_DAMAGED}. {_ASK_AGAIN}"
    return StoredRun(key, _STATES[state], run_id, processor, output, error, ref_id, number, *rest)


def _best(
    rows: Iterable[tuple[bytes, str, float]], not_before: float, failed_since: float = 0.0
) -> dict[bytes, RunState]:
    best: dict[bytes, RunState] = {}
    for key, text, ended_at in rows:
        state = _STATES[text]
        if state in FORGOTTEN or (state is RunState.COMPLETED and ended_at < not_before):
            continue
        if _rank(state) == 0 and ended_at < failed_since:
            continue
        if key not in best or _rank(state) > _rank(best[key]):
            best[key] = state
    return best


def _rank(state: RunState) -> int:
    if state is RunState.COMPLETED:
        return 2
    return 1 if state in ACTIVE else 0


def _without_cleared(
    found: dict[bytes, dict[str, dict[str, Decision]]],
) -> dict[bytes, dict[str, dict[str, Decision]]]:
    """Return the decisions that were not cleared, the last one on a cell first."""
    kept = {
        key: {
            name: {who: made for who, made in reversed(by.items()) if made.verdict != "clear"}
            for name, by in cells.items()
        }
        for key, cells in found.items()
    }
    without_empty = {key: {name: by for name, by in cells.items() if by} for key, cells in kept.items()}
    return {key: cells for key, cells in without_empty.items() if cells}
