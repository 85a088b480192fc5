"""What a ledger knows: where tasks stand, what was answered, what was spent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from rowcite.ledger.store import Store
from rowcite.model import Decision, OpenBatch, RunState, StoredRun

OPEN = (RunState.INTENDED, RunState.SUBMITTED)
_FORGOTTEN = (RunState.LOST, RunState.PRUNED)  # as if never asked
_CHUNK = 50_000
_HELD = (
    "SELECT coalesce(run.root, run.key), run.state, run.run_id, batch.processor, answer.output, run.error, run.ref_id,"
    " run.id, run.price, run.root IS NULL, coalesce(run.ended_at, 0.0)"
    " FROM want CROSS JOIN run ON {join} JOIN batch ON batch.id = run.batch LEFT JOIN answer ON answer.run = run.id"
    " WHERE run.state NOT IN ('lost', 'pruned')"
)


class Reads(Store):
    """The questions that a ledger answers; none of them changes it."""

    def task_states(
        self, keys: Iterable[bytes], *, not_before: float = 0.0, failed_since: float = 0.0
    ) -> dict[bytes, RunState]:
        """Return where each task stands that was ever asked.

        An answer from before `not_before` (Unix seconds) does not count, nor a run that ended badly before `failed_since`. A completed run wins over one under
        way, which wins over one that ended badly; lost runs count as never asked.
        """
        with self._reading(), self._wanted(keys):
            rows = self._db.execute(
                "SELECT run.key, run.state, run.ended_at FROM want CROSS JOIN run ON run.key = want.key"
            ).fetchall()
        return _best(rows, not_before, failed_since)

    def scan(self, *, not_before: float = 0.0) -> Iterator[dict[bytes, RunState]]:
        """Yield the state of every task, many at a time and in no order: faster than `task_states` for most of a ledger.

        A task with several runs may come more than once.
        """
        with self._reading():
            cursor = self._db.execute("SELECT key, state, ended_at FROM run")
            while rows := cursor.fetchmany(_CHUNK):
                yield _best(rows, not_before)

    def runs(self) -> int:
        """Return about how many runs there are: never less than there are."""
        return int(self._one("SELECT coalesce(max(id), 0) FROM run"))

    def runs_by_task(self, keys: Iterable[bytes]) -> Iterator[list[StoredRun]]:
        """Yield for each row's first task every run that was made for it, also those that asked again; oldest first."""
        again = self._one("SELECT EXISTS (SELECT 1 FROM run WHERE root IS NOT NULL)")
        yield from self._by_task(keys, ("run.key = want.key", *(["run.root = want.key"] if again else [])))

    def _by_task(self, keys: Iterable[bytes], joins: Iterable[str]) -> Iterator[list[StoredRun]]:
        tasks: dict[bytes, list[StoredRun]] = {}
        for found in self._held(keys, joins):
            if found.key in tasks:
                tasks[found.key].append(found)
            else:
                tasks[found.key] = [found]
        for runs in tasks.values():
            if len(runs) > 1:
                runs.sort(key=lambda run: run.run)  # SQLite would sort the answers along
            yield runs

    def _held(self, keys: Iterable[bytes], joins: Iterable[str]) -> Iterator[StoredRun]:
        with self._reading(), self._wanted(keys):
            for join in joins:
                for row in self._db.execute(_HELD.format(join=join)):
                    yield StoredRun(row[0], _STATES[row[1]], *row[2:])

    def packs(self, runs: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return of rows' runs that were sent together with others: the price of that run, and of how many rows it was."""
        found: dict[int, tuple[int, int]] = {}
        with self._reading():
            for run in runs:
                row = self._db.execute(
                    "SELECT whole.price, (SELECT count(*) FROM run AS member WHERE member.pack = whole.id)"
                    " FROM run JOIN run AS whole ON whole.id = run.pack WHERE run.id = ?",
                    (run,),
                ).fetchone()
                if row:
                    found[run] = row
        return found

    def open_batches(self) -> list[OpenBatch]:
        """Return every batch that has runs which have not ended, oldest first."""
        batches: dict[int, OpenBatch] = {}
        with self._reading():
            rows = self._db.execute(
                "SELECT batch.id, group_id, question.body, sent_at, run.key, input.input, run.state"
                " FROM batch JOIN question ON question.id = batch.question JOIN run ON run.batch = batch.id"
                " JOIN input ON input.run = run.id"
                " WHERE batch.id IN (SELECT batch FROM run WHERE state IN ('intended', 'submitted'))"
                " AND run.pack IS NULL ORDER BY run.id"
            )
            for number, group_id, body, sent_at, key, text, state in rows:
                if number not in batches:
                    batches[number] = OpenBatch(
                        number, group_id, json.loads(body)["api"], sent_at, unsure=False
                    )
                batch = batches[number]
                batch.inputs[key] = text
                batch.unsure |= state == RunState.INTENDED
                if state in OPEN:
                    batch.open.add(key)
            rows = self._db.execute(
                "SELECT run.batch, whole.key, run.key FROM run JOIN run AS whole ON whole.id = run.pack"
                " WHERE whole.state IN ('intended', 'submitted') ORDER BY run.id"
            )
            for number, pack, key in rows:
                members = batches[number].members
                members[pack] = (*members.get(pack, ()), key)
        return list(batches.values())

    def spent(self) -> int:
        """Return the list price of every run that was, or may have been, created: micro-US$."""
        return int(
            self._one("SELECT coalesce(sum(price), 0) FROM run WHERE state NOT IN ('refused', 'lost')")
        )

    def stored_for_other_questions(self, fingerprint: bytes) -> int:
        """Return how many tasks are answered that belong to another question: an earlier spec, processor or API."""
        return int(
            self._one(
                "SELECT count(DISTINCT run.key) FROM question JOIN batch ON batch.question = question.id"
                " JOIN run ON run.batch = batch.id"
                " WHERE question.fingerprint != ? AND run.state = 'completed' AND run.root IS NULL",
                fingerprint,
            )
        )

    def counts(self) -> dict[RunState, int]:
        """Return how many runs there are in each state."""
        with self._reading():
            rows = self._db.execute("SELECT state, count(*) FROM run WHERE pack IS NULL GROUP BY state")
            return {RunState(state): n for state, n in rows}

    def escalation_counts(self) -> dict[str, tuple[int, int]]:
        """Return of each processor how many tasks it answered, and how many it was asked again for others."""
        with self._reading():
            rows = self._db.execute(
                "SELECT batch.processor, sum(run.state = 'completed'), sum(run.root IS NOT NULL)"
                " FROM run JOIN batch ON batch.id = run.batch"
                " WHERE run.id NOT IN (SELECT pack FROM run WHERE pack IS NOT NULL) GROUP BY batch.processor"
            )
            return {name: (answered, again) for name, answered, again in rows}

    def warnings(self) -> dict[str, int]:
        """Return the API's warnings, each with how many runs carried it."""
        with self._reading():
            rows = self._db.execute(
                "SELECT warnings, count(*) FROM run WHERE warnings IS NOT NULL GROUP BY warnings"
            )
            told: dict[str, int] = {}
            for texts, count in rows:
                for text in json.loads(texts):
                    told[text] = told.get(text, 0) + count
        return told

    def decisions(self, keys: Iterable[bytes] | None = None) -> dict[bytes, dict[str, Decision]]:
        """Return what people said of cells, by task and field: the newest word on each; all tasks for None."""
        columns = (
            "decision.key, decision.field, decision.verdict, decision.value, decision.who, decision.at,"
            " decision.note"
        )
        found: dict[bytes, dict[str, Decision]] = {}
        if not self._one("SELECT EXISTS (SELECT 1 FROM decision)"):
            return found
        with self._reading(), self._wanted(keys or ()):
            table = "decision" if keys is None else "want CROSS JOIN decision ON decision.key = want.key"
            for row in self._db.execute(f"SELECT {columns} FROM {table} ORDER BY decision.id"):
                found.setdefault(row[0], {})[row[1]] = Decision(*row)
        for said in found.values():
            for name in [name for name, item in said.items() if item.verdict == "clear"]:
                del said[name]
        return {key: said for key, said in found.items() if said}


def _best(
    rows: Iterable[tuple[bytes, str, float | None]], not_before: float, failed_since: float = 0.0
) -> dict[bytes, RunState]:
    best: dict[bytes, RunState] = {}
    for key, text, ended_at in rows:
        state = _STATES[text]
        if state in _FORGOTTEN or (state is RunState.COMPLETED and (ended_at or 0.0) < not_before):
            continue
        if _rank(state) == 0 and (ended_at or 0.0) < failed_since:
            continue
        if key not in best or _rank(state) > _rank(best[key]):
            best[key] = state
    return best


_STATES = {state.value: state for state in RunState}


def _rank(state: RunState) -> int:
    if state is RunState.COMPLETED:
        return 2
    return 1 if state in OPEN else 0
