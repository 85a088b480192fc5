"""`rowcite.enrich`: the same spec and the same values as the command, from Python."""

import asyncio
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

import rowcite
from rowcite.cli import main
from rowcite.local.server.latency import Lognormal
from rowcite.table.sources.base import BATCH_ROWS
from support import served, small_spec, until, write_spec

TABLE = pl.DataFrame(
    {
        "id": pl.Series([7, 8, 9], dtype=pl.Int16),
        "name": ["Acme Oy", "Nobody & Sons", None],
        "website": ["https://www.acme.example", None, None],
        "seen": [dt.date(2024, 1, 2), None, None],
        "kind": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        "tags": [["x"], [], None],
    }
)
TYPES = {
    **dict.fromkeys(("employee_count", "founded_year"), pl.Int64),
    **dict.fromkeys(("employee_count_citations", "founded_year_citations"), pl.List(pl.String)),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "corpus").mkdir()
    page = "<title>Acme Oy</title><h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p><dl><dt>Employees<dd>230</dl>"
    (tmp_path / "corpus" / "acme.html").write_text(page)
    monkeypatch.chdir(tmp_path)
    for name in ("PARALLEL_API_KEY", "PARALLEL_BASE_URL", "PARALLEL_API_URL", "ROWCITE_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def spec(**changes: object) -> dict[str, object]:
    return small_spec(local={"corpus": "corpus"}, **changes)


def test_a_frame_keeps_its_columns_and_types_and_gets_typed_ones():
    after = rowcite.enrich(TABLE, spec())
    assert after.select(TABLE.columns).equals(TABLE)
    assert after.select(TABLE.columns).schema == TABLE.schema
    assert after["founded_year"].to_list() == [1999, None, None]
    assert after["rowcite_status"].to_list() == ["completed", "completed", "skipped"]
    assert {name: after.schema[name] for name in TYPES} == TYPES


@pytest.mark.parametrize("form", [dict, Path, str, rowcite.Spec])
def test_a_spec_is_a_dict_or_a_path_or_a_spec(folder, form):
    file = write_spec(folder, spec())
    given = {dict: spec(), Path: file, str: str(file), rowcite.Spec: rowcite.load_spec(file)}[form]
    assert rowcite.enrich(TABLE, given)["founded_year"][0] == 1999


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_path_gives_the_values_that_the_command_writes(folder, suffix):
    flat = TABLE.drop("kind", "tags")
    {"csv": flat.write_csv, "parquet": flat.write_parquet, "jsonl": flat.write_ndjson}[suffix](
        f"table.{suffix}"
    )
    file = write_spec(folder, spec(input={"path": f"table.{suffix}"}, output={"path": "out.parquet"}))
    assert main(["run", str(file), "-q"]) == 0
    assert rowcite.enrich(f"table.{suffix}", file).equals(pl.read_parquet("out.parquet"))
    assert rowcite.enrich(Path(f"table.{suffix}"), file).height == 3


def test_it_uses_the_ledger_of_the_command_and_writes_no_table(folder):
    file = write_spec(folder, spec())
    TABLE.select("name", "website").write_csv("table.csv")
    first = rowcite.enrich("table.csv", file)
    assert not (folder / "out.csv").exists()
    assert main(["run", str(file), "-q"]) == 0
    assert pl.read_csv("out.csv")["rowcite_run_id"].to_list() == first["rowcite_run_id"].to_list()


def test_the_ledger_of_a_dict_is_in_the_working_folder(folder):
    rowcite.enrich(TABLE, spec())
    assert (folder / ".rowcite" / "small" / "ledger.db").exists()


@pytest.mark.parametrize("output", ["table.csv", "nowhere.docx", "corpus"])
def test_where_the_spec_would_write_does_not_matter(output):
    TABLE.select("name", "website").write_csv("table.csv")
    assert rowcite.enrich("table.csv", spec(output={"path": output})).height == 3


@pytest.mark.parametrize("empty", [TABLE.clear(), TABLE.filter(pl.col("name") == "no such")])
def test_an_empty_frame_gets_its_columns(empty):
    after = rowcite.enrich(empty, spec())
    assert after.height == 0
    assert after.schema == rowcite.enrich(TABLE, spec()).schema


def test_batches_are_put_together():
    table = pl.concat([TABLE] * (BATCH_ROWS // TABLE.height + 1))
    after = rowcite.enrich(table, spec())
    assert after.select(TABLE.columns).equals(table)
    table.write_parquet("table.parquet")
    assert rowcite.enrich("table.parquet", spec()).equals(after)


def test_it_works_inside_a_running_loop():
    async def cell() -> pl.DataFrame:
        return rowcite.enrich(TABLE, spec())

    assert asyncio.run(cell())["founded_year"][0] == 1999


def test_an_interrupt_inside_a_running_loop_ends_a_run_and_its_answers_are_kept(folder):
    """As in a notebook: the work is in a thread, and the signal comes to the main thread, which waits for it."""
    assert threading.current_thread() is threading.main_thread()
    table = pl.DataFrame({"name": [f"Company {number}" for number in range(30)], "website": None})
    live = {key: value for key, value in spec(backend="parallel").items() if key != "local"}

    async def cell(url):
        return rowcite.enrich(table, live, base_url=url, max_cost_usd=10)

    with served(folder, bench=True, latency=Lognormal(3.0)) as server:

        def interrupt():
            until(lambda: len(server.created()) == 30, 120)
            os.kill(os.getpid(), signal.SIGINT)

        with ThreadPoolExecutor(1) as thread, closing(asyncio.new_event_loop()) as loop:
            thread.submit(interrupt)
            began = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                loop.run_until_complete(cell(server.url))
        assert (
            json.loads((folder / ".rowcite" / "small" / "run_results.json").read_text())["exit_code"] == 130
        )
        planned = rowcite.plan(table, live, base_url=server.url)
    assert (planned.to_submit, planned.active + planned.answered) == (0, 30)
    assert time.monotonic() - began < 15


def test_calls_in_two_threads_use_a_ledger_each(folder):
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(rowcite.enrich, TABLE, spec(), ledger=folder / name) for name in "ab"]
    assert [call.result()["founded_year"][0] for call in calls] == [1999, 1999]


def test_it_can_be_awaited():
    assert asyncio.run(rowcite.aenrich(TABLE, spec()))["founded_year"][0] == 1999


TICKS = """
import sys, threading, time
stop, longest, last = threading.Event(), 0.0, time.monotonic()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
print(flush=True)
while not stop.is_set():
    time.sleep(0.005)
    longest, last = max(longest, time.monotonic() - last), time.monotonic()
print(longest)
"""


async def _longest_gap(job) -> float:
    """Return the longest time for which the loop did not run while something is awaited in it."""
    gaps, done = [0.0], False

    async def tick():
        last = time.monotonic()
        while not done:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    await job
    done = True
    await ticking
    return max(gaps)


def _excess(large):
    """Return the longest gap of the caller's loop, less that of another process meanwhile: what the machine adds."""
    with subprocess.Popen(
        [sys.executable, "-c", TICKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as control:
        control.stdout.readline()
        gap = asyncio.run(_longest_gap(rowcite.aenrich(large, spec())))
        return gap - float(control.communicate()[0])


def test_the_loop_of_the_caller_is_never_blocked_for_fifty_milliseconds():
    """One of ten runs is enough: noise only lengthens gaps."""
    large = pl.concat([TABLE.select("name", "website")] * 70_000)
    assert any(_excess(large) < 0.05 for _ in range(10))


FIRST_USE = """
import asyncio, sys, threading, rowcite

class Watch:
    def find_spec(self, name, *_):
        if name == "rowcite.library":
            print(threading.current_thread() is threading.main_thread())

async def main():
    try:
        await rowcite.aenrich(None, {})
    except rowcite.RowciteError as error:
        print(type(error).__name__)
    print("pandas" in sys.modules or "duckdb" in sys.modules)

sys.meta_path.insert(0, Watch())
asyncio.run(main())
"""


def test_the_first_use_of_aenrich_imports_in_a_thread_and_no_library_of_frames():
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "UsageError", "False"], done.stderr


def test_a_cancelled_aenrich_has_released_the_ledger_when_it_returns(folder):
    async def cancelled():
        task = asyncio.create_task(rowcite.aenrich(TABLE, spec()))
        await asyncio.to_thread(until, (folder / ".rowcite" / "small" / "lock").exists, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert rowcite.enrich(TABLE, spec())["founded_year"][0] == 1999


def test_a_plan_sends_nothing_and_writes_nothing(folder):
    planned = rowcite.plan(TABLE, spec())
    assert (planned.rows, planned.tasks, planned.to_submit, planned.skipped) == (3, 2, 2, 1)
    assert not (folder / ".rowcite").exists()


def test_a_run_returns_table_plan_and_summary():
    result = rowcite.run(TABLE, spec())
    assert result.table.equals(rowcite.enrich(TABLE, spec()))
    assert result.plan.to_submit == result.summary.submitted == 2
    assert result.summary.rows.as_dict()["completed"] == 2
    assert result.summary.stopped is None


def test_a_run_that_stops_returns_the_table_with_the_answers_so_far():
    result = rowcite.run(TABLE, spec(limits={"deadline": "0.001s"}))
    assert result.table["rowcite_status"].to_list() == ["pending", "pending", "skipped"]
    assert result.summary.exit_code == 5
    assert result.summary.stopped == "Stopped at the 0.001 s deadline: 2 rows still pending"


def test_a_full_citation_is_a_list_of_objects():
    after = rowcite.enrich(TABLE, spec(columns={"citations": "full"}))
    (citation,) = after["founded_year_citations"].to_list()[0]
    assert citation["excerpts"] == ["Acme Oy was founded in 1999."]
    assert citation["url"].endswith("acme.html")


def test_a_found_value_is_not_guarded_in_a_frame(folder):
    page = "<title>Acme Oy</title><h1>Acme Oy</h1><dl><dt>Slogan<dd>=HYPERLINK</dl>"
    (folder / "corpus" / "acme.html").write_text(page)
    inputs = {"company_name": {"column": "name"}}
    task = {
        "processor": "core",
        "inputs": inputs,
        "outputs": {"slogan": {"type": "string", "description": "Slogan"}},
    }
    assert rowcite.enrich(TABLE, spec(task=task))["slogan"][0] == "=HYPERLINK"


def test_a_failed_row_is_a_value_and_no_exception():
    long = pl.DataFrame(
        {"name": ["x" * 200_000, "Acme Oy"], "website": [None, None]}, schema_overrides={"website": pl.String}
    )
    assert rowcite.enrich(long, spec())["rowcite_status"].to_list() == ["failed", "completed"]


def test_over_budget_raises_and_spends_nothing(folder):
    changed = {
        key: value
        for key, value in spec(backend="parallel", limits={"max_cost_usd": 0}).items()
        if key != "local"
    }
    with pytest.raises(rowcite.BudgetExceeded, match="Nothing was submitted"):
        rowcite.enrich(TABLE, changed)


@pytest.mark.parametrize(
    ("table", "changes", "error", "message"),
    [
        ("nothing.csv", {}, rowcite.TableError, "no such file"),
        (TABLE.drop("name"), {}, rowcite.SpecError, 'column "name" is not in the table'),
        (TABLE.with_columns(rowcite_status=pl.lit("x")), {}, rowcite.TableError, "rowcite wrote it"),
        (TABLE.with_columns(founded_year=1), {}, rowcite.SpecError, "or columns.prefix"),
        (TABLE.to_dict(as_series=False), {}, rowcite.InputError, "cannot enrich a dict"),
        (TABLE, {"naem": 1}, rowcite.SpecError, "unknown key `naem`"),
        (TABLE, {"backend": "parallel", "local": None}, rowcite.KeyRefused, "PARALLEL_API_KEY is not set"),
    ],
)
def test_unusable_input_raises(table, changes, error, message):
    with pytest.raises(error, match=message):
        rowcite.enrich(table, {**spec(), **changes})


def test_the_command_and_the_function_agree_on_json(folder):
    file = write_spec(folder, spec(input={"path": "table.jsonl"}, output={"path": "out.jsonl"}))
    TABLE.select("name", "website").write_ndjson("table.jsonl")
    assert main(["run", str(file), "-q"]) == 0
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert rowcite.enrich("table.jsonl", file).to_dicts() == rows
