-- Everything that was sent, paid and answered. Money is in micro-dollars, times are Unix seconds, keys are 16 bytes.
-- The active states are those of model.ACTIVE. Changing this file needs a new version and a migration: see migrations.py.

CREATE TABLE question (             -- everything about a run but its input, in the form that was fingerprinted
  id INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL                -- JSON
);

CREATE TABLE command (              -- a command that may submit; the last one has the ledger
  id INTEGER PRIMARY KEY,
  began_at REAL NOT NULL,
  copied INTEGER                    -- of a copy of the file, which is no command: the id of its last run, 0 without runs
);

CREATE TABLE batch (                -- one POST of runs; each has a task group to itself, so the group's count is the batch's
  id INTEGER PRIMARY KEY,
  question INTEGER NOT NULL REFERENCES question (id),
  group_id TEXT NOT NULL,
  processor TEXT NOT NULL,
  sent_at REAL NOT NULL,            -- when the POST was last sent, or was about to be
  run_ids TEXT,                     -- JSON list from the response of the POST; null while there is none
  waited REAL NOT NULL DEFAULT 0    -- seconds that later commands waited for runs of a lost POST to appear
);

CREATE TABLE run (                  -- the intent before the POST, the run after it; narrow, so that counting is fast
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES batch (id),
  key BLOB NOT NULL,
  root BLOB,                        -- of a run that escalates: the key of its row's first task
  pack INTEGER REFERENCES run (id), -- of a row sent together with others, or with the answer of another run: that run
  state TEXT NOT NULL,              -- model.RunState
  run_id TEXT,                      -- null until the API returned the run with its key
  price INTEGER NOT NULL,
  ended_at REAL,
  error TEXT,
  ref_id TEXT,
  warnings TEXT,                    -- JSON list of texts
  ended_in INTEGER                  -- the command that recorded the end: what is new does not depend on a clock
);
CREATE INDEX run_key ON run (key);
CREATE INDEX run_batch ON run (batch);
CREATE INDEX run_root ON run (root) WHERE root IS NOT NULL;
CREATE INDEX run_pack ON run (pack) WHERE pack IS NOT NULL;
CREATE INDEX run_active ON run (batch) WHERE state IN $ACTIVE;
CREATE UNIQUE INDEX run_once ON run (key) WHERE state IN $ACTIVE;  -- a task has at most one active run

CREATE TABLE input (                -- what was sent, byte for byte
  run INTEGER PRIMARY KEY REFERENCES run (id),
  input BLOB NOT NULL               -- JSON
);

CREATE TABLE answer (               -- the output as received
  run INTEGER PRIMARY KEY REFERENCES run (id),
  output BLOB NOT NULL,             -- its bytes, or those compressed: stored_answers.py
  checksum BLOB NOT NULL DEFAULT x'' -- of the run's id and the stored output
);

CREATE TABLE submission (           -- a `rowcite submit` that sent runs: the collects after it share its budget
  id INTEGER PRIMARY KEY,
  first_run INTEGER NOT NULL,       -- runs from this id on count towards the budget
  budget INTEGER NOT NULL
);

CREATE TABLE decision (             -- people's decisions on cells; rows are only added, a reviewer's last on a cell replaces the earlier
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  field TEXT NOT NULL,
  verdict TEXT NOT NULL,            -- accept, reject, correct, blank, clear
  value TEXT,                       -- JSON: of a correction, or the value accepted or rejected
  who TEXT NOT NULL,
  at REAL NOT NULL,
  note TEXT,
  answer TEXT                       -- JSON: the value that the cell had; null if that is not known
);
CREATE INDEX decision_cell ON decision (key, field);
