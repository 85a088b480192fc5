"""Everything that changes the ledger: questions, intents before a POST, run ids after it, answers, decisions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any

from rowcite.ledger import queries
from rowcite.ledger.queries import IS_ACTIVE
from rowcite.ledger.store import Store
from rowcite.ledger.stored_answers import checksum, stored
from rowcite.model import ActiveBatch, Decision, EndedRun, RunState, Task


class Writes(Store):
    """What changes a ledger: each method is one transaction, on disk when it returns."""

    # --- before the POST -----------------------------------------------------------------------------

    def begin_command(self) -> None:
        """Record that this command begins. An earlier command that is still running can then submit nothing more."""
        with self._writing():
            self._command = self._next_id("command")
            self._db.execute("INSERT INTO command (id, began_at) VALUES (?, ?)", (self._command, time.time()))

    def record_question(self, fingerprint: bytes, body: bytes) -> int:
        """Record a question unless it is there; return its number."""
        with self._writing():
            self._db.execute(
                "INSERT OR IGNORE INTO question (fingerprint, body) VALUES (?, ?)",
                (fingerprint, body.decode()),
            )
        return int(self._one("SELECT id FROM question WHERE fingerprint = ?", fingerprint))

    def record_intent(
        self, question: int, group_id: str, tasks: Sequence[Task], *, processor: str, price: int
    ) -> ActiveBatch:
        """Record what the next POST will create, before it is sent. `price` is micro-US$ a run.

        Raises:
            LedgerError: a later command has the ledger, as in every method that decides what exists.
        """
        with self._writing():
            self._check_owner()
            batch = self._next_id("batch")
            self._db.execute(
                "INSERT INTO batch (id, question, group_id, processor, sent_at) VALUES (?, ?, ?, ?, ?)",
                (batch, question, group_id, processor, time.time()),
            )
            runs, inputs = _rows(batch, tasks, price, self._next_id("run"))
            self._db.executemany(queries.INSERT_RUN, runs)
            self._db.executemany("INSERT INTO input (run, input) VALUES (?, ?)", inputs)
        api = json.loads(self._one("SELECT body FROM question WHERE id = ?", question))["api"]
        sent: dict[bytes, bytes] = {task.key: task.input for task in tasks}
        members: dict[bytes, tuple[bytes, ...]] = {
            task.key: tuple(member.key for member in task.members) for task in tasks if task.members
        }
        now = time.monotonic()
        return ActiveBatch(
            batch, group_id, api, now, unsure=True, inputs=sent, active=set(sent), members=members
        )

    def mark_sending(self, batch: ActiveBatch) -> None:
        """Record that the POST of a batch is sent now: the API may list its runs some time later."""
        with self._writing():
            self._check_owner()
            self._db.execute("UPDATE batch SET sent_at = ? WHERE id = ?", (time.time(), batch.id))
        batch.sent = time.monotonic()

    def record_waits(self, batches: Iterable[ActiveBatch]) -> None:
        """Record how long commands have waited for runs of batches of lost POSTs, so that the next one continues."""
        now = time.monotonic()
        with self._writing():
            self._db.executemany(
                "UPDATE batch SET waited = ? WHERE id = ?",
                [(now - batch.sent, batch.id) for batch in batches],
            )

    # --- after the POST ------------------------------------------------------------------------------

    def record_created(self, batch: int, run_ids: Sequence[str]) -> None:
        """Record the response of the POST: these runs of the batch exist, in no order that counts."""
        with self._writing():
            self._db.execute("UPDATE batch SET run_ids = ? WHERE id = ?", (json.dumps(run_ids), batch))
            runs = "SELECT count(*) FROM run WHERE batch = ? AND pack IS NULL"
            if self._db.execute(runs, (batch,)).fetchone()[0] == len(run_ids):
                self._mark_submitted(batch)

    def mark_sent(self, batch: int) -> None:
        """Record that every run of a batch exists."""
        with self._writing():
            self._mark_submitted(batch)

    def record_run_ids(self, batch: int, runs: Iterable[tuple[bytes, str]]) -> None:
        """Record the ids of runs that exist, each with its key."""
        with self._writing():
            self._db.executemany(
                f"UPDATE run SET run_id = ?, state = ? WHERE batch = ? AND key = ? AND {IS_ACTIVE}",
                [(run_id, RunState.SUBMITTED, batch, key) for key, run_id in runs],
            )
            self._copy_to_members(batch)

    def forget_uncreated(self, batch: int, keys: Iterable[bytes]) -> None:
        """Forget intents that are known to have created nothing.

        In a batch with runs that do exist they are kept as lost: should one appear later, its task is known.
        """
        with self._writing():
            self._check_owner()
            self._db.executemany(
                "UPDATE run SET state = ? WHERE batch = ? AND key = ? AND state = ?",
                [(RunState.LOST, batch, key, RunState.INTENDED) for key in keys],
            )
            self._copy_to_members(batch)
            of_batch = {"batch": batch, "lost": RunState.LOST}
            self._db.execute(queries.DELETE_INPUTS, of_batch)
            self._db.execute(queries.DELETE_RUNS, of_batch)

    def mark_refused(self, batch: int, key: bytes, error: str, ref_id: str | None) -> None:
        """Record that the API did not take a task; it cost nothing."""
        with self._writing():
            self._check_owner()
            self._db.execute(
                "UPDATE run SET state = ?, error = ?, ref_id = ?, ended_at = ?, ended_in = ?"
                " WHERE batch = ? AND key = ? AND state = ?",
                (RunState.REFUSED, error, ref_id, time.time(), self._command, batch, key, RunState.INTENDED),
            )
            self._copy_to_members(batch)

    def mark_lost(self, batch: int) -> None:
        """Record that the local server of a batch is gone, with every run that had not ended."""
        with self._writing():
            self._check_owner()
            self._db.execute(
                f"UPDATE run SET state = ? WHERE batch = ? AND {IS_ACTIVE}", (RunState.LOST, batch)
            )

    # --- answers -------------------------------------------------------------------------------------

    def save(self, batch: int, ended: Sequence[EndedRun]) -> None:
        """Record how runs ended, with their answers. Saving a run again changes nothing."""
        parts = [_part(run, key, output) for run in ended for key, output in run.parts]
        now = time.time()
        with self._writing():
            numbers = dict(self._db.execute(queries.ACTIVE_RUNS, (batch,)))
            found = [(numbers.pop(run.key), run) for run in (*ended, *parts) if run.key in numbers]
            self._db.executemany(
                queries.SAVE_ANSWER,
                [_answer(number, run.output) for number, run in found if run.output is not None],
            )
            self._db.executemany(
                queries.SAVE_END, [_end(number, run, now, self._command) for number, run in found]
            )
            self._copy_to_members(batch)

    def reuse(self, tasks: Iterable[Task]) -> int:
        """Give rows the stored answers to escalations that another row, or an earlier answer of theirs, had; return how many."""
        reused = 0
        with self._writing():
            self._check_owner()
            number = self._next_id("run")
            for task in tasks:
                for (old,) in self._db.execute(queries.STORED_RETRY, (task.key,)).fetchall():
                    for statement in queries.REUSE:
                        self._db.execute(statement, {"new": number + reused, "old": old, "root": task.root})
                    reused += 1
        return reused

    # --- people --------------------------------------------------------------------------------------

    def record_submission(self, budget: int) -> None:
        """Record that a submission with this budget (micro-US$) begins with the next run."""
        with self._writing():
            self._db.execute(
                "INSERT INTO submission (first_run, budget) VALUES (?, ?)", (self._next_id("run"), budget)
            )

    def record_decisions(self, decisions: Iterable[Decision]) -> None:
        """Record people's decisions on cells."""
        with self._writing():
            self._db.executemany(
                "INSERT INTO decision (key, field, verdict, value, who, at, note, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                map(astuple, decisions),
            )

    # --- inside a transaction ------------------------------------------------------------------------

    def _next_id(self, table: str) -> int:
        return int(self._db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])

    def _mark_submitted(self, batch: int) -> None:
        self._db.execute(
            "UPDATE run SET state = ? WHERE batch = ? AND state = ?",
            (RunState.SUBMITTED, batch, RunState.INTENDED),
        )

    def _copy_to_members(self, batch: int) -> None:
        """Give rows that were sent together the state of the run that they were sent in."""
        self._db.execute(queries.COPY_TO_MEMBERS, (batch,))


def _part(run: EndedRun, key: bytes, output: bytes | None) -> EndedRun:
    """Return how a row ended that was sent with others in a run; without its part of the answer it counts as never sent."""
    return EndedRun(key, run.run_id, RunState.LOST if output is None else RunState.COMPLETED, output)


def _answer(number: int, output: bytes) -> tuple[int, bytes, bytes]:
    """Return the values of `SAVE_ANSWER`."""
    form = stored(output)
    return number, form, checksum(number, form)


def _end(number: int, run: EndedRun, now: float, command: int | None) -> tuple[Any, ...]:
    """Return the values of `SAVE_END`. The state is a plain text, which SQLite takes without asking for an adapter."""
    warnings = json.dumps(run.warnings, ensure_ascii=False) if run.warnings else None
    return run.run_id, str(run.state), now, command, run.error, run.ref_id, warnings, number


def _rows(batch: int, tasks: Sequence[Task], price: int, first: int) -> tuple[list[Any], list[Any]]:
    """Return the rows of `run` and of `input`. The rows of a pack follow it and have no price of their own."""
    runs: list[Any] = []
    inputs: list[Any] = []
    number = first
    for task in tasks:
        pack = number
        runs.append((number, batch, task.key, task.root, None, RunState.INTENDED, price))
        inputs.append((number, task.input))
        for member in task.members:
            number += 1
            runs.append((number, batch, member.key, member.root, pack, RunState.INTENDED, 0))
            inputs.append((number, member.input))
        number += 1
    return runs, inputs
