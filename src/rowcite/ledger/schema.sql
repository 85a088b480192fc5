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
  processor TEXT NOT NULL,
  sent_at REAL NOT NULL,           -- when the POST last went out, or was about to
  run_ids TEXT                     -- JSON list, as the POST answered; null while that answer is not known
);

CREATE TABLE run (                 -- the intent before the POST, the run after it; narrow, so that counting a table is quick
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES batch (id),
  key BLOB NOT NULL,
  root BLOB,                       -- of a run that asks again: the key of the task that its row was first asked as
  pack INTEGER REFERENCES run (id),-- of a row that was sent together with others: the run that they were sent in
  state TEXT NOT NULL,             -- model.RunState
  run_id TEXT,                     -- null until the run was seen with its key
  price INTEGER NOT NULL,
  ended_at REAL,
  error TEXT,
  ref_id TEXT,
  warnings TEXT                    -- JSON list of texts
);
CREATE INDEX run_key ON run (key);
CREATE INDEX run_batch ON run (batch);
CREATE INDEX run_root ON run (root) WHERE root IS NOT NULL;
CREATE INDEX run_pack ON run (pack) WHERE pack IS NOT NULL;
CREATE INDEX run_open ON run (batch) WHERE state IN ('intended', 'submitted');
CREATE UNIQUE INDEX run_once ON run (key) WHERE state IN ('intended', 'submitted');  -- no task is ever under way twice

CREATE TABLE input (               -- what was sent, byte for byte
  run INTEGER PRIMARY KEY REFERENCES run (id),
  input BLOB NOT NULL              -- JSON
);

CREATE TABLE answer (              -- the output as it came, byte for byte
  run INTEGER PRIMARY KEY REFERENCES run (id),
  output BLOB NOT NULL
);

CREATE TABLE decision (            -- what a person said of a cell; nothing is ever changed, the newest counts
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  field TEXT NOT NULL,
  verdict TEXT NOT NULL,           -- accept, reject, correct, clear
  value TEXT,                      -- JSON, of a correction
  who TEXT NOT NULL,
  at REAL NOT NULL,
  note TEXT
);
CREATE INDEX decision_cell ON decision (key, field);
