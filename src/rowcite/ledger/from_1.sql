-- From version 1: inputs and processors stood in the table of runs.

ALTER TABLE batch ADD COLUMN processor TEXT NOT NULL DEFAULT '';
UPDATE batch SET processor = coalesce((SELECT run.processor FROM run WHERE run.batch = batch.id LIMIT 1), '');

CREATE TABLE input (run INTEGER PRIMARY KEY REFERENCES run (id), input BLOB NOT NULL);
INSERT INTO input SELECT id, input FROM run ORDER BY id;

ALTER TABLE run DROP COLUMN input;
ALTER TABLE run DROP COLUMN processor;
ALTER TABLE run ADD COLUMN root BLOB;
ALTER TABLE run ADD COLUMN pack INTEGER REFERENCES run (id);
CREATE INDEX run_root ON run (root) WHERE root IS NOT NULL;
CREATE INDEX run_pack ON run (pack) WHERE pack IS NOT NULL;

CREATE TABLE decision (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL, field TEXT NOT NULL, verdict TEXT NOT NULL, value TEXT, who TEXT NOT NULL,
  at REAL NOT NULL, note TEXT
);
CREATE INDEX decision_cell ON decision (key, field);
