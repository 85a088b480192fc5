"""The ledger's larger statements. The states they name come from the sets in `rowcite.model`."""

from __future__ import annotations

from collections.abc import Iterable

from rowcite.model import ACTIVE, ANSWERED, FORGOTTEN, FREE_OF_CHARGE, RunState


def sql_list(states: Iterable[RunState]) -> str:
    """Return states as an SQL list, in parentheses."""
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


IS_ACTIVE = f"state IN {sql_list(ACTIVE)}"
IS_COMPLETED = f"state = '{RunState.COMPLETED}'"
IS_CREATED = f"run.state NOT IN {sql_list(FREE_OF_CHARGE)}"
IS_SENT_RUN = f"{IS_CREATED} AND run.pack IS NULL"
"""A run that was, or may have been, created; the rows of a pack are not runs."""

# --- reads -----------------------------------------------------------------------------------------------

ENDED_AT = "CASE WHEN run.ended_in = :command THEN 9e999 ELSE coalesce(run.ended_at, 0.0) END"
"""When a run ended: infinity for this command's, so that its answers are new although the clock was set back."""
STATES = f"SELECT run.key, run.state, {ENDED_AT} FROM"
SCANNED = 50_000
"""Runs that a scan holds at a time."""
SCANNED_STATES = [state for state in RunState if state not in FORGOTTEN]
SCAN_STATES = (  # a row for many runs: a row of Python for each one takes eight times as long
    "SELECT count(*), "
    + ", ".join(f"group_concat(hex(key), '') FILTER (WHERE state = '{state}')" for state in SCANNED_STATES)
    + f" FROM run WHERE id BETWEEN :first AND :last AND state NOT IN {sql_list(FORGOTTEN)}"
    f" AND NOT ({IS_COMPLETED} AND {ENDED_AT} < :not_before) AND length(key) = 16"
)
LAST_SCANNED = "SELECT id FROM run WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?"
KEYS_AT_ONCE = 64
RUNS_OF_TASKS = (
    f"WITH wanted (key) AS (VALUES {', '.join(['(?)'] * KEYS_AT_ONCE)})"
    " SELECT coalesce(run.root, run.key), run.state, run.run_id, batch.processor, answer.output, run.error, run.ref_id,"
    f" run.id, run.price, run.root IS NULL, {ENDED_AT.replace(':command', '?')}, answer.checksum"
    " FROM wanted CROSS JOIN run ON {join} JOIN batch ON batch.id = run.batch"
    " LEFT JOIN answer ON answer.run = run.id"
    f" WHERE run.state NOT IN {sql_list(FORGOTTEN)}"
)
"""The runs of KEYS_AT_ONCE tasks in the keys' order, in which the ledger has most of them too; then the command's number.

Values are half the time of a temporary table of keys: SQLite has the statement ready. Nulls fill the places that are left.
"""
ACTIVE_BATCHES = (
    "SELECT batch.id, group_id, question.body, sent_at, waited, run.key, input.input, run.state"
    " FROM batch JOIN question ON question.id = batch.question JOIN run ON run.batch = batch.id"
    " JOIN input ON input.run = run.id"
    f" WHERE batch.id IN (SELECT batch FROM run WHERE {IS_ACTIVE}) AND run.pack IS NULL ORDER BY run.id"
)
MEMBERS_OF_ACTIVE_PACKS = (
    "SELECT run.batch, pack.key, run.key FROM run AS pack CROSS JOIN run ON run.pack = pack.id"
    f" WHERE pack.{IS_ACTIVE} ORDER BY run.id"
)
DAMAGED_TASKS = (
    "SELECT DISTINCT run.key FROM run JOIN answer ON answer.run = run.id"
    f" WHERE run.{IS_COMPLETED} AND run.root IS NULL AND answer.checksum != answer_checksum(run.id, answer.output)"
)
PACK_OF_RUN = (
    "SELECT pack.price, (SELECT count(*) FROM run AS member WHERE member.pack = pack.id)"
    " FROM run JOIN run AS pack ON pack.id = run.pack WHERE run.id = ? AND run.root IS NULL"
)
COPIED_AT = "SELECT began_at FROM command WHERE copied >= (SELECT coalesce(max(id), 0) FROM run) ORDER BY id DESC LIMIT 1"
KNOWN_RUNS = "SELECT run_id FROM run WHERE run_id IN (SELECT value FROM json_each(?))"
SPENT = f"SELECT coalesce(sum(price), 0) FROM run WHERE {IS_CREATED}"
PARTS_TO_SEND_AGAIN = "SELECT run.key FROM run JOIN run AS pack ON pack.id = run.pack WHERE run.state = :lost AND pack.state != :lost"
SUBMISSION = (
    "SELECT budget, (SELECT coalesce(sum(price), 0) FROM run"
    f" WHERE run.id >= first_run AND {IS_CREATED}) FROM submission ORDER BY id DESC LIMIT 1"
)
QUESTIONS = "SELECT id, body FROM question WHERE json_extract(body, '$.api') = ? ORDER BY id"
ANSWERS_BY_QUESTION = (  # the run of a pack is not a task, its rows are
    "SELECT question, count(*), coalesce(sum(ended_at < :not_before), 0) FROM"
    " (SELECT batch.question, max(run.id) AS last, max(run.ended_at) AS ended_at"
    " FROM batch CROSS JOIN run ON run.batch = batch.id"
    " WHERE batch.question IN (SELECT value FROM json_each(:questions))"
    f" AND run.{IS_COMPLETED} AND run.root IS NULL AND run.id NOT IN (SELECT pack FROM run WHERE pack IS NOT NULL)"
    " GROUP BY batch.question, run.key) GROUP BY question ORDER BY max(last) DESC"
)
RUNS_BY_QUESTION = (
    "SELECT question.body, found.runs FROM question JOIN (SELECT batch.question, sum(counted.runs) AS runs FROM"
    f" (SELECT batch, count(*) AS runs FROM run WHERE pack IS NULL AND ({IS_COMPLETED} OR {IS_ACTIVE}) GROUP BY batch)"
    " AS counted JOIN batch ON batch.id = counted.batch GROUP BY batch.question) AS found"
    " ON found.question = question.id ORDER BY question.id"
)
QUESTIONS_WITH_RUNS = (  # stops at the first run of each question
    "SELECT question.body FROM question WHERE EXISTS (SELECT 1 FROM batch CROSS JOIN run ON run.batch = batch.id"
    f" WHERE batch.question = question.id AND run.pack IS NULL AND (run.{IS_COMPLETED} OR run.{IS_ACTIVE}))"
    " ORDER BY question.id"
)
ESCALATIONS = (
    "SELECT batch.processor, sum(part.completed), sum(part.escalated) FROM"
    f" (SELECT batch, sum({IS_COMPLETED}) AS completed, sum(root IS NOT NULL) AS escalated FROM run"
    " WHERE id NOT IN (SELECT pack FROM run WHERE pack IS NOT NULL) GROUP BY batch) AS part"
    " JOIN batch ON batch.id = part.batch GROUP BY batch.processor"
)
STATE_COUNTS = (  # not by GROUP BY, which sorts
    "SELECT count(*), "
    + ", ".join(f"count(*) FILTER (WHERE state = '{state}')" for state in RunState)
    + " FROM run WHERE pack IS NULL"
)
DECISIONS = "SELECT key, field, verdict, value, who, at, note, answer FROM {source} ORDER BY decision.id"

# --- writes ----------------------------------------------------------------------------------------------

INSERT_RUN = "INSERT INTO run (id, batch, key, root, pack, state, price) VALUES (?, ?, ?, ?, ?, ?, ?)"
ACTIVE_RUNS = f"SELECT key, id FROM run WHERE batch = ? AND {IS_ACTIVE}"
SAVE_ANSWER = "INSERT OR IGNORE INTO answer (run, output, checksum) VALUES (?, ?, ?)"
# An escalation that answers another row's step too: as the rows of a pack, its copy has no price and does not count as a run.
STORED_RETRY = (
    f"SELECT run.id FROM run JOIN answer ON answer.run = run.id WHERE run.key = ? AND run.{IS_COMPLETED}"
    " AND answer.checksum = answer_checksum(run.id, answer.output) ORDER BY run.id DESC LIMIT 1"
)
_COPIED = "batch, key, {root}, {pack}, state, {price}, run_id, ended_at, ended_in"
REUSE = (
    f"INSERT INTO run (id, {_COPIED.format(root='root', pack='pack', price='price')})"
    f" SELECT :new, {_COPIED.format(root=':root', pack='coalesce(pack, id)', price=0)} FROM run WHERE id = :old;"
    "INSERT INTO input SELECT :new, input FROM input WHERE run = :old;"
    "INSERT INTO answer SELECT :new, output, answer_checksum(:new, output) FROM answer WHERE run = :old"
).split(";")
SAVE_END = (
    "UPDATE run SET run_id = ?, state = ?, ended_at = ?, ended_in = ?, error = ?, ref_id = ?, warnings = ?"
    " WHERE id = ?"
)
COPY_TO_MEMBERS = (
    "UPDATE run SET state = whole.state, run_id = whole.run_id, ended_at = whole.ended_at, error = whole.error,"
    " ref_id = whole.ref_id, ended_in = whole.ended_in FROM run AS whole"
    f" WHERE whole.id = run.pack AND run.batch = ? AND run.{IS_ACTIVE}"
)
NOTHING_CREATED = "NOT EXISTS (SELECT 1 FROM run WHERE batch = :batch AND state != :lost)"
DELETE_INPUTS = (
    f"DELETE FROM input WHERE run IN (SELECT id FROM run WHERE batch = :batch) AND {NOTHING_CREATED}"
)
DELETE_RUNS = f"DELETE FROM run WHERE batch = :batch AND {NOTHING_CREATED}"

MARK_COPY = "INSERT INTO command (began_at, copied) SELECT ?, coalesce(max(id), 0) FROM run"

# --- history ---------------------------------------------------------------------------------------------

SPEND = (  # by batch first: SQLite has the runs in that order, and would keep all of them in memory to sort them
    "SELECT batch.processor, sum(part.runs), sum(part.cost), sum(part.failed), sum(part.failed_cost) FROM"
    " (SELECT batch, min(id) AS first, count(*) AS runs, sum(price) AS cost, sum(state = :failed) AS failed,"
    f" sum(price * (state = :failed)) AS failed_cost FROM run WHERE {IS_SENT_RUN} GROUP BY batch) AS part"
    " JOIN batch ON batch.id = part.batch GROUP BY batch.processor ORDER BY min(part.first)"
)
# A row without a part of its pack's answer is `lost` and was sent again alone: packing saved nothing on it.
PACKING = (
    "SELECT coalesce(sum(rows), 0), count(*), coalesce(sum((rows - 1) * run.price), 0)"
    " FROM (SELECT pack, sum(state != :lost) AS rows FROM run WHERE pack IS NOT NULL AND root IS NULL GROUP BY pack) AS members"
    f" JOIN run ON run.id = members.pack WHERE {IS_CREATED}"
)
BATCH_TIMES = (
    "SELECT batch.sent_at, coalesce(max(run.ended_at), batch.sent_at) FROM batch JOIN run ON run.batch = batch.id"
    f" WHERE {IS_SENT_RUN} GROUP BY batch.id ORDER BY batch.sent_at"
)
SENT_BY_INTERVAL = (
    "SELECT CAST((batch.sent_at - :start) / :width AS INTEGER) AS interval, count(*)"
    " FROM run JOIN batch ON batch.id = run.batch"
    f" WHERE batch.sent_at BETWEEN :start AND :end AND {IS_SENT_RUN} GROUP BY interval"
)
ENDED_BY_INTERVAL = (
    "SELECT CAST((ended_at - :start) / :width AS INTEGER) AS interval,"
    f" sum(state IN {sql_list(ANSWERED)}), sum(state NOT IN {sql_list(ANSWERED)})"
    f" FROM run WHERE ended_at BETWEEN :start AND :end AND {IS_SENT_RUN} GROUP BY interval"
)
ANSWERED_BEFORE = (
    "SELECT DISTINCT run.key FROM run JOIN batch ON batch.id = run.batch"
    f" WHERE run.{IS_COMPLETED} AND batch.sent_at < ?"
)
RECORDS = (
    "SELECT run.run_id, batch.group_id, run.key, run.state, input.input, answer.output, batch.processor, run.price,"
    " batch.sent_at, run.ended_at, run.error, run.ref_id, run.warnings, question.body, run.id, run.pack, answer.checksum"
    " FROM run JOIN input ON input.run = run.id JOIN batch ON batch.id = run.batch"
    " JOIN question ON question.id = batch.question"
    " LEFT JOIN answer ON answer.run = run.id WHERE run.id BETWEEN ? AND ? ORDER BY run.id"
)

# --- pruning ---------------------------------------------------------------------------------------------

MARK_PRUNED = (
    f"UPDATE run SET state = :pruned WHERE {IS_COMPLETED} AND (ended_at < :before OR EXISTS ("
    f"SELECT 1 FROM run AS newer WHERE newer.key = run.key AND newer.id > run.id AND newer.{IS_COMPLETED})"
    " OR (:damaged AND id IN (SELECT run FROM answer WHERE checksum != answer_checksum(run, output))))"
)
DELETE_PRUNED_ANSWERS = "DELETE FROM answer WHERE run IN (SELECT id FROM run WHERE state = :pruned)"
