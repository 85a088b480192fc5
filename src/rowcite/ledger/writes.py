"""What a ledger is told: questions, intents before a POST, run ids after it, answers as they come, decisions of people."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from rowcite.ledger.store import Store
from rowcite.model import Decision, EndedRun, OpenBatch, Task


class Writes(Store):
    """What changes a ledger: each method is one transaction, on disk when it returns."""

    def question(self, fingerprint: bytes, body: bytes) -> int:
        """Record a question once; return its number."""
        with self._writing():
            self._db.execute(
                "INSERT OR IGNORE INTO question (fingerprint, body) VALUES (?, ?)",
                (fingerprint, body.decode()),
            )
        return int(self._one("SELECT id FROM question WHERE fingerprint = ?", fingerprint))

    def record_intent(
        self, question: int, group_id: str, tasks: Sequence[Task], *, processor: str, price: int
    ) -> OpenBatch:
        """Write down what the next POST will create, before it is sent. `price` is micro-US$ a run."""
        now = time.time()
        with self._writing():
            batch = self._next("batch")
            self._db.execute(
                "INSERT INTO batch (id, question, group_id, processor, sent_at) VALUES (?, ?, ?, ?, ?)",
                (batch, question, group_id, processor, now),
            )
            runs, inputs = _rows(batch, tasks, price, self._next("run"))
            self._db.executemany(
                "INSERT INTO run (id, batch, key, root, pack, state, price) VALUES (?, ?, ?, ?, ?, 'intended', ?)",
                runs,
            )
            self._db.executemany("INSERT INTO input (run, input) VALUES (?, ?)", inputs)
        api = json.loads(self._one("SELECT body FROM question WHERE id = ?", question))["api"]
        sent: dict[bytes, bytes] = {task.key: task.input for task in tasks}
        members: dict[bytes, tuple[bytes, ...]] = {
            task.key: tuple(member.key for member in task.members) for task in tasks if task.members
        }
        return OpenBatch(batch, group_id, api, now, unsure=True, inputs=sent, open=set(sent), members=members)

    def mark_sending(self, batch: OpenBatch) -> None:
        """Write down that the POST of a batch goes out now: its runs may come to light some time after."""
        batch.sent_at = time.time()
        with self._writing():
            self._db.execute("UPDATE batch SET sent_at = ? WHERE id = ?", (batch.sent_at, batch.id))

    def record_created(self, batch: int, run_ids: Sequence[str]) -> None:
        """Write down that the POST was answered: these runs of the batch exist, in some order."""
        with self._writing():
            self._db.execute("UPDATE batch SET run_ids = ? WHERE id = ?", (json.dumps(run_ids), batch))
            runs = "SELECT count(*) FROM run WHERE batch = ? AND pack IS NULL"
            if self._db.execute(runs, (batch,)).fetchone()[0] == len(run_ids):
                self._db.execute(
                    "UPDATE run SET state = 'submitted' WHERE batch = ? AND state = 'intended'", (batch,)
                )

    def mark_sent(self, batch: int) -> None:
        """Write down that every run of a batch was found to exist."""
        with self._writing():
            self._db.execute(
                "UPDATE run SET state = 'submitted' WHERE batch = ? AND state = 'intended'", (batch,)
            )

    def record_run_ids(self, batch: int, runs: Iterable[tuple[bytes, str]]) -> None:
        """Write down runs (key, run id) that were found to exist."""
        with self._writing():
            self._db.executemany(
                "UPDATE run SET run_id = ?, state = 'submitted'"
                " WHERE batch = ? AND key = ? AND state IN ('intended', 'submitted')",
                [(run_id, batch, key) for key, run_id in runs],
            )
            self._with_their_pack(batch)

    def forget_uncreated(self, batch: int, keys: Iterable[bytes]) -> None:
        """Forget intents that are known to have created nothing.

        Beside runs that do exist they stay, as lost: should one turn up later after all, it is known whose it is.
        """
        with self._writing():
            self._db.executemany(
                "UPDATE run SET state = 'lost' WHERE batch = ? AND key = ? AND state = 'intended'",
                [(batch, key) for key in keys],
            )
            self._with_their_pack(batch)
            nothing = "NOT EXISTS (SELECT 1 FROM run WHERE batch = :batch AND state != 'lost')"
            these = {"batch": batch}
            self._db.execute(
                f"DELETE FROM input WHERE run IN (SELECT id FROM run WHERE batch = :batch) AND {nothing}",
                these,
            )
            self._db.execute(f"DELETE FROM run WHERE batch = :batch AND {nothing}", these)

    def mark_refused(self, batch: int, key: bytes, error: str, ref_id: str | None) -> None:
        """Write down that the API would not take a task; it cost nothing."""
        with self._writing():
            self._db.execute(
                "UPDATE run SET state = 'refused', error = ?, ref_id = ?, ended_at = ?"
                " WHERE batch = ? AND key = ? AND state = 'intended'",
                (error, ref_id, time.time(), batch, key),
            )
            self._with_their_pack(batch)

    def mark_lost(self, batch: int) -> None:
        """Write down that the local server which had a batch is gone, with what it had not answered."""
        with self._writing():
            self._db.execute(
                "UPDATE run SET state = 'lost' WHERE batch = ? AND state IN ('intended', 'submitted')",
                (batch,),
            )

    def save(self, batch: int, ended: Sequence[EndedRun]) -> None:
        """Write down how runs ended, with their answers. Saving a run again changes nothing."""
        now = time.time()
        with self._writing():
            self._db.executemany(
                "INSERT OR IGNORE INTO answer (run, output)"
                " SELECT id, ? FROM run WHERE batch = ? AND key = ? AND state IN ('intended', 'submitted')",
                [(item.output, batch, item.key) for item in ended if item.output is not None],
            )
            self._db.executemany(
                "UPDATE run SET run_id = ?, state = ?, ended_at = ?, error = ?, ref_id = ?, warnings = ?"
                " WHERE batch = ? AND key = ? AND state IN ('intended', 'submitted')",
                [
                    (
                        item.run_id,
                        item.state,
                        now,
                        item.error,
                        item.ref_id,
                        json.dumps(item.warnings, ensure_ascii=False) if item.warnings else None,
                        batch,
                        item.key,
                    )
                    for item in ended
                ],
            )
            self._unpacked(batch, ended)

    def record_decisions(self, decisions: Iterable[Decision]) -> None:
        """Write down what people said of cells."""
        with self._writing():
            self._db.executemany(
                "INSERT INTO decision (key, field, verdict, value, who, at, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (item.key, item.field, item.verdict, item.value, item.who, item.at, item.note)
                    for item in decisions
                ],
            )

    # --- inside --------------------------------------------------------------------------------------

    def _next(self, table: str) -> int:
        return int(self._db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])

    def _with_their_pack(self, batch: int) -> None:
        """Let rows that were sent together with others stand where their run stands."""
        self._db.execute(
            "UPDATE run SET state = whole.state, run_id = whole.run_id, ended_at = whole.ended_at, error = whole.error,"
            " ref_id = whole.ref_id FROM run AS whole WHERE whole.id = run.pack AND run.batch = ?"
            " AND run.state IN ('intended', 'submitted')",
            (batch,),
        )

    def _unpacked(self, batch: int, ended: Sequence[EndedRun]) -> None:
        """Give rows that were sent together their parts of the answer; a row without one counts as never asked."""
        parts = [(key, item, output) for item in ended for key, output in item.parts]
        these = "WHERE batch = ? AND key = ? AND pack IS NOT NULL AND state IN ('intended', 'submitted')"
        self._db.executemany(
            f"INSERT OR IGNORE INTO answer (run, output) SELECT id, ? FROM run {these}",
            [(output, batch, key) for key, _, output in parts if output is not None],
        )
        self._db.executemany(
            f"UPDATE run SET state = ?, run_id = ?, ended_at = ? {these}",
            [
                ("lost" if output is None else "completed", item.run_id, time.time(), batch, key)
                for key, item, output in parts
            ],
        )
        self._with_their_pack(batch)


def _rows(batch: int, tasks: Sequence[Task], price: int, first: int) -> tuple[list[Any], list[Any]]:
    """Return the rows of `run` and of `input`; the rows of a pack follow it, and cost nothing beside it."""
    runs: list[Any] = []
    inputs: list[Any] = []
    number = first
    for task in tasks:
        pack = number
        runs.append((number, batch, task.key, task.root, None, price))
        inputs.append((number, task.input))
        for member in task.members:
            number += 1
            runs.append((number, batch, member.key, member.root, pack, 0))
            inputs.append((number, member.input))
        number += 1
    return runs, inputs
