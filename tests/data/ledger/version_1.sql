-- What was asked, sent, paid and answered. Money is micro-US$, times are Unix seconds, keys are 16 bytes.

CREATE TABLE question (            -- everything about a run but its input, as it was fingerprinted
  id INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL
);

CREATE TABLE batch (               -- one POST of runs, in a task group of its own: so a group's count tells what was created
  id INTEGER PRIMARY KEY,
  question INTEGER NOT NULL REFERENCES question (id),
  group_id TEXT NOT NULL,
  sent_at REAL NOT NULL,           -- when the POST last went out, or was about to
  run_ids TEXT                     -- JSON list, as the POST answered; null while that answer is not known
);

CREATE TABLE run (                 -- the intent before the POST, the run after it
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES batch (id),
  key BLOB NOT NULL,
  input BLOB NOT NULL,             -- JSON
  state TEXT NOT NULL,             -- model.RunState
  run_id TEXT,                     -- null until the run was seen with its key
  processor TEXT NOT NULL,
  price INTEGER NOT NULL,
  ended_at REAL,
  error TEXT,
  ref_id TEXT,
  warnings TEXT                    -- JSON list of texts
);
CREATE INDEX run_key ON run (key);
CREATE INDEX run_batch ON run (batch);
CREATE INDEX run_open ON run (batch) WHERE state IN ('intended', 'submitted');
CREATE UNIQUE INDEX run_once ON run (key) WHERE state IN ('intended', 'submitted');  -- no task is ever under way twice

CREATE TABLE answer (              -- the output as it came, byte for byte
  run INTEGER PRIMARY KEY REFERENCES run (id),
  output BLOB NOT NULL
);

INSERT INTO question VALUES (1, x'66', '{"api":"https://a.example"}');
INSERT INTO batch VALUES (1, 1, 'group-1', 1700000000.5, '["run-a","run-b"]'), (2, 1, 'group-2', 1700000001.5, NULL);
INSERT INTO run VALUES
  (1, 1, x'00000000000000000000000000000001', x'7b226e223a317d', 'completed', 'run-a', 'core', 25000, 1700000010.0, NULL, NULL, '["warning: slow"]'),
  (2, 1, x'00000000000000000000000000000002', x'7b226e223a327d', 'failed', 'run-b', 'core', 25000, 1700000011.0, 'no', 'ref-1', NULL),
  (3, 2, x'00000000000000000000000000000003', x'7b226e223a337d', 'intended', NULL, 'core', 25000, NULL, NULL, NULL, NULL);
INSERT INTO answer VALUES (1, x'7b22636f6e74656e74223a317d');
PRAGMA user_version = 1;
