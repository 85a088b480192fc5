# Needs python3 (3.11 or newer) and make. Targets install what they need into .venv.

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 5
QUICK ?= 1
export PYTHONDONTWRITEBYTECODE =  # tests start many processes: compile once

.PHONY: help demo test test-all test-integrations lint format check serve bench versus bench-escalation bench-full load soak fuzz eval enrich chromium screenshots docs clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: .venv/local  ## Enrich the sample CRM export without a key, and show some rows
	$(BIN)/rowcite run configs/accounts.yaml
	@$(BIN)/python examples/show.py out/accounts.csv

test: .venv/dev  ## Run the tests that need only Python
	ROWCITE_QUICK=$(QUICK) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not browser and not node and not slow and not integration" --ignore tests/integrations tests

test-all: .venv/dev chromium  ## Run the tests that CI runs: with Node 20, npm and its registry, and Chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not integration" --ignore tests/integrations tests

test-integrations: .venv/dev  ## Test the built wheel, the lowest versions of packages, and other programs (installs them)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m integration tests

lint: .venv/dev  ## Check style, types, layers and the lock file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/uv lock --check --offline --python $(BIN)/python

format: .venv/dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test-all demo  ## Run everything that CI runs

serve: .venv/local  ## Serve the Task API from the sample pages on port 8099
	$(BIN)/rowcite serve --corpus sample_data/web

bench: .venv/dev  ## Measure time, memory and requests (minutes)
	$(BIN)/python benchmarks/bench.py

versus: .venv/dev  ## Compare the runs that rowcite and the official CLI pay for, also after a kill (a minute)
	$(BIN)/python benchmarks/versus.py

bench-escalation: .venv/dev  ## Measure cost and results of escalation and packs, on the local engine
	$(BIN)/python benchmarks/escalation.py

bench-full: .venv/dev  ## Measure tables of millions of rows (up to an hour, 25 GB in TMPDIR; PARTS="--only second": minutes)
	$(BIN)/python benchmarks/full.py $(PARTS)

soak: .venv/dev  ## Kill the command at more random moments and on a larger table, with more storms of faults (an hour)
	ROWCITE_KILLS=200 ROWCITE_SIGNALS=50 ROWCITE_CRASH_ROWS=100000 $(BIN)/python -m pytest -n $(WORKERS) tests/crash
	ROWCITE_STORMS=100 $(BIN)/python -m pytest -n $(WORKERS) tests/pipeline/test_storm.py
	ROWCITE_CLOCKS=200 ROWCITE_INTERLEAVINGS=50 $(BIN)/python -m pytest -n $(WORKERS) tests/pipeline/test_clocks.py tests/pipeline/test_two_commands.py
	ROWCITE_DAMAGE=500 $(BIN)/python -m pytest tests/edge/test_damage.py
	ROWCITE_HOSTILE=10000 $(BIN)/python -m pytest -n $(WORKERS) tests/report/test_inert_files.py
	ROWCITE_STUDIES=300 $(BIN)/python -m pytest tests/unit/test_eval_studies.py
	ROWCITE_SEQUENCES=60 $(BIN)/python -m pytest -n $(WORKERS) tests/pipeline/test_sequences.py
	ROWCITE_EXAMPLES=5000 $(BIN)/python -m pytest -n $(WORKERS) tests/edge/test_csv_strict.py tests/edge/test_json_lines.py tests/edge/test_row_keys.py tests/edge/test_parquet_types.py tests/edge/test_workbooks.py tests/edge/test_workbook_output.py

load: .venv/dev  ## Run 200,000 runs with failures, 429s, disconnects and a kill (minutes)
	$(BIN)/python benchmarks/load.py

fuzz: .venv/dev  ## Fuzz the parsers of untrusted bytes for FUZZ_SECONDS (300)
	$(BIN)/python tests/fuzz/long.py --seconds $(or $(FUZZ_SECONDS),300)

eval: .venv/dev  ## Measure the accuracy of the local research (MIRROR: also on documents of public repositories)
	$(BIN)/python benchmarks/research/evaluate.py

chromium:  ## Install Chromium from Debian's packages unless it is installed
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || test -n "$(CHROMIUM)" || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  { echo "the tests of pages need Chromium: install it, or set CHROMIUM to its path" >&2; exit 2; }

docs: .venv/dev  ## Build the documentation as a site in site/, which opens from the disk
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

screenshots: .venv/dev chromium  ## Make the screenshots of the report, the review and the terminal from the sample
	$(BIN)/python docs/screenshots/make.py
	$(BIN)/python docs/screenshots/terminal.py
	@command -v soffice >/dev/null && $(BIN)/python docs/screenshots/workbook.py || echo "no picture of a workbook without LibreOffice"

# From another project's CI: make -C rowcite enrich SPEC=... INPUT=... OUTPUT=... (absolute paths, or relative to this folder)
enrich: .venv/local  ## Enrich INPUT by SPEC into OUTPUT; more flags in ARGS
	@test -n "$(SPEC)" || { echo "make enrich needs SPEC=path.yaml; INPUT=, OUTPUT= and ARGS= are optional" >&2; exit 2; }
	$(BIN)/rowcite run "$(SPEC)" $(if $(INPUT),--input "$(INPUT)") $(if $(OUTPUT),--output "$(OUTPUT)") --yes --no-progress $(ARGS)

clean:  ## Remove build output; answers in .rowcite stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache out dist build site
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rowcite needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/local: pyproject.toml | .venv/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[local,report]'
	@touch $@

.venv/dev: pyproject.toml | .venv/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/local
