-- A ledger of version 4, as SQL: every later version must read it, migrated.

PRAGMA application_id = 1919907683;
PRAGMA user_version = 6;
CREATE TABLE answer (               -- the output as received
  run INTEGER PRIMARY KEY REFERENCES run (id),
  output BLOB NOT NULL,             -- its bytes, or those compressed: stored_answers.py
  checksum BLOB NOT NULL DEFAULT x'' -- of the run's id and the stored output
);
INSERT INTO "answer" VALUES(1,X'7B22636F6E74656E74223A317D',X'F16423DAA2120283');
INSERT INTO "answer" VALUES(4,X'7B22636F6E74656E74223A397D',X'656515B925BFFC53');
INSERT INTO "answer" VALUES(5,X'7B22636F6E74656E74223A347D',X'0A84BCABF4C5242B');
INSERT INTO "answer" VALUES(7,X'4C0E000000E07B22636F6E74656E74223A31317D',X'C5452C4AE89A7596');
CREATE TABLE batch (                -- one POST of runs; each has a task group to itself, so the group's count is the batch's
  id INTEGER PRIMARY KEY,
  question INTEGER NOT NULL REFERENCES question (id),
  group_id TEXT NOT NULL,
  processor TEXT NOT NULL,
  sent_at REAL NOT NULL,            -- when the POST was last sent, or was about to be
  run_ids TEXT,                     -- JSON list from the response of the POST; null while there is none
  waited REAL NOT NULL DEFAULT 0    -- seconds that later commands waited for runs of a lost POST to appear
);
INSERT INTO "batch" VALUES(1,1,'group-1','core',1700000000.0,'["run-a", "run-b"]',0.0);
INSERT INTO "batch" VALUES(2,1,'group-2','core',1700000060.0,NULL,12.5);
INSERT INTO "batch" VALUES(3,1,'group-3','core',1700000120.0,NULL,0.0);
INSERT INTO "batch" VALUES(4,1,'group-4','pro',1700000180.0,NULL,0.0);
CREATE TABLE command (              -- a command that may submit; the last one has the ledger
  id INTEGER PRIMARY KEY,
  began_at REAL NOT NULL,
  copied INTEGER                    -- of a copy of the file, which is no command: the id of its last run, 0 without runs
);
INSERT INTO "command" VALUES(1,1700000000.0,NULL);
CREATE TABLE submission (           -- a `rowcite submit` that sent runs: the collects after it share its budget
  id INTEGER PRIMARY KEY,
  first_run INTEGER NOT NULL,       -- runs from this id on count towards the budget
  budget INTEGER NOT NULL
);
INSERT INTO "submission" VALUES(1,1,2000000);
CREATE TABLE decision (             -- people's decisions on cells; rows are only added, the newest on a cell counts
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  field TEXT NOT NULL,
  verdict TEXT NOT NULL,            -- accept, reject, correct, clear
  value TEXT,                       -- JSON, of a correction
  who TEXT NOT NULL,
  at REAL NOT NULL,
  note TEXT,
  answer TEXT
);
INSERT INTO "decision" VALUES(1,X'08A47F49D858EB51C54D3AAD1392B513','a','correct','"x"','ada',1.0,'seen','"y"');
CREATE TABLE input (                -- what was sent, byte for byte
  run INTEGER PRIMARY KEY REFERENCES run (id),
  input BLOB NOT NULL               -- JSON
);
INSERT INTO "input" VALUES(1,X'7B226E223A317D');
INSERT INTO "input" VALUES(2,X'7B226E223A327D');
INSERT INTO "input" VALUES(3,X'7B226E223A337D');
INSERT INTO "input" VALUES(4,X'7B226E223A397D');
INSERT INTO "input" VALUES(5,X'7B226E223A347D');
INSERT INTO "input" VALUES(6,X'7B226E223A357D');
INSERT INTO "input" VALUES(7,X'7B226E223A31317D');
CREATE TABLE question (             -- everything about a run but its input, in the form that was fingerprinted
  id INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL                -- JSON
);
INSERT INTO "question" VALUES(1,X'234C3C415971733A64CC14B40538658F2CF2E9B08C82DE081E1D9F0435F059A2','{"api":"https://api.example","processor":"core"}');
CREATE TABLE run (                  -- the intent before the POST, the run after it; narrow, so that counting is fast
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES batch (id),
  key BLOB NOT NULL,
  root BLOB,                        -- of a run that escalates: the key of its row's first task
  pack INTEGER REFERENCES run (id), -- of a row sent together with others: the run that they were sent in
  state TEXT NOT NULL,              -- model.RunState
  run_id TEXT,                      -- null until the API returned the run with its key
  price INTEGER NOT NULL,
  ended_at REAL,
  error TEXT,
  ref_id TEXT,
  warnings TEXT,                    -- JSON list of texts
  ended_in INTEGER                  -- the command that recorded the end: what is new does not depend on a clock
);
INSERT INTO "run" VALUES(1,1,X'08A47F49D858EB51C54D3AAD1392B513',NULL,NULL,'completed','run-a',25000,1700000030.0,NULL,NULL,'["warning: slow"]',1);
INSERT INTO "run" VALUES(2,1,X'E5590BD5C860303F6FBAED850CAF19C1',NULL,NULL,'failed','run-b',25000,1700000030.0,'no','ref-1',NULL,1);
INSERT INTO "run" VALUES(3,2,X'16788241503550B1C181132C3B403FE8',NULL,NULL,'intended',NULL,25000,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(4,3,X'EA8B0087CE77A96F2D930380D231C597',NULL,NULL,'completed','run-c',25000,1700000150.0,NULL,NULL,NULL,1);
INSERT INTO "run" VALUES(5,3,X'E2E8962374B6CD629FBF986CAE7E4FEE',NULL,4,'completed','run-c',0,1700000150.0,NULL,NULL,NULL,1);
INSERT INTO "run" VALUES(6,3,X'47A4EA4C99665BE8AE522F4D5162F61E',NULL,4,'lost','run-c',0,1700000150.0,NULL,NULL,NULL,1);
INSERT INTO "run" VALUES(7,4,X'836A8D02284500957896744F666998CE',X'08A47F49D858EB51C54D3AAD1392B513',NULL,'completed','run-d',100000,1700000210.0,NULL,NULL,NULL,1);
CREATE INDEX run_key ON run (key);
CREATE INDEX run_batch ON run (batch);
CREATE INDEX run_root ON run (root) WHERE root IS NOT NULL;
CREATE INDEX run_pack ON run (pack) WHERE pack IS NOT NULL;
CREATE INDEX run_active ON run (batch) WHERE state IN ('intended', 'submitted');
CREATE UNIQUE INDEX run_once ON run (key) WHERE state IN ('intended', 'submitted');
CREATE INDEX decision_cell ON decision (key, field);
