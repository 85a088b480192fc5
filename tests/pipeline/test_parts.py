"""A folder of parts that an engine plans and merges: the same tasks, answers and rows as in one process.

The engine of these tests runs the work in this process, from the bytes that a process would get; Daft itself is in `tests/integrations`.
"""

import os
import pickle
import shutil
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowcite.engines.parts import PartJob, survey_part, task_batches
from rowcite.spec import read_limits
from support import rowcite, served, small_spec, write_spec

NAMES = [
    ["Acme Oy", None, "Beta AG", "Acme Oy"],
    ["Beta AG", "Gamma Ltd"],
    [],
    ["Delta Inc", "Acme Oy"],
    [None],
]
OUTPUTS = {"industry": "Main industry", "products": {"type": "array", "items": "string"}}


class Here:
    """Runs work in this process, in another order than it was given. `fails` raises before a part is done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails: Any = None

    def check(self, read: Sequence[Path], write: Sequence[Path]) -> None:
        assert all(file.is_file() for file in read)

    def map(self, work: Any, items: Sequence[Any]) -> Iterator[Any]:
        for item in reversed(items):
            self.done.append(work.func.__name__)
            if self.fails is not None:
                self.fails(work, item)
            yield pickle.loads(
                pickle.dumps(pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(item))))
            )


@pytest.fixture
def engine(monkeypatch):
    """Take the place of Daft."""
    here = Here()
    monkeypatch.setattr("rowcite.pipeline.prepare.open_engine", lambda *_: here)
    return here


class Lake:
    """A folder with a table of five parts and its spec."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url, self.server = folder, "http://127.0.0.1:9", None
        self.spec = small_spec(
            input={"path": "in"}, output={"path": "out/"}, engine="daft", backend="parallel"
        )
        self.spec["task"]["outputs"] = OUTPUTS
        (folder / "in").mkdir()
        for number, names in enumerate(NAMES):
            sites = [f"{name.split()[0].lower()}.example" if name else None for name in names]
            kinds = pa.array(["a"] * len(names), pa.string()).dictionary_encode()
            columns = {
                "name": pa.array(names, pa.string()),
                "website": pa.array(sites, pa.string()),
                "kind": kinds,
            }
            pq.write_table(
                pa.table(columns, metadata={"owner": "revops"}), folder / "in" / f"part-{number}.parquet"
            )

    def rowcite(self, command: str, *flags: Any, code: int = 0, **changes: Any) -> str:
        spec = write_spec(self.folder, {**self.spec, **changes})
        done = rowcite(command, spec, "--base-url", self.url, *flags, cwd=self.folder)
        assert done.returncode == code, done.stderr.decode()
        return (done.stdout + done.stderr).decode()

    def parts(self, folder: str = "out") -> list[pa.Table]:
        return [
            pq.read_table(self.folder / folder / f"part-{number}.parquet") for number in range(len(NAMES))
        ]


@pytest.fixture
def closed(tmp_path):
    """Return a folder with a table, where no server answers."""
    return Lake(tmp_path)


@pytest.fixture
def lake(tmp_path):
    """Yield a folder with a table, and a server of bench answers."""
    found = Lake(tmp_path)
    with served(tmp_path, bench=True) as server:
        found.server, found.url = server, server.url
        yield found


def one_table(parts: list[pa.Table]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(part) for part in parts])


def test_each_part_has_the_rows_that_one_process_writes(lake, engine):
    lake.rowcite("run", "-q")
    assert len(lake.server.created()) == 4  # four companies
    lake.rowcite("write", "-q", "--engine", "polars", "-o", "whole.parquet")
    whole = pq.read_table(lake.folder / "whole.parquet")
    assert one_table(lake.parts()).equals(pl.DataFrame(whole))
    assert all(part.schema.equals(whole.schema, check_metadata=True) for part in lake.parts())
    assert [part.num_rows for part in lake.parts()] == list(map(len, NAMES))
    assert (lake.folder / "out" / "_SUCCESS").exists()


@pytest.mark.slow
def test_the_ledger_of_one_process_serves_an_engine(lake, engine):
    lake.rowcite("run", "-q", "--engine", "polars", "-o", "whole.parquet")
    assert "nothing to submit" in lake.rowcite("run")
    assert len(lake.server.created()) == 4
    assert one_table(lake.parts()).equals(pl.read_parquet(lake.folder / "whole.parquet"))


@pytest.mark.slow
def test_an_engine_plans_the_same_tasks_in_the_same_order(lake, engine):
    outputs = {"polars": {"output": {"path": "out.parquet"}}, "daft": {}}
    plans = [lake.rowcite("plan", "--json", "--engine", name, **changes) for name, changes in outputs.items()]
    assert plans[0] == plans[1]
    for name, changes in outputs.items():
        lake.rowcite("submit", "-q", "--engine", name, "--ledger", name, **changes)
    inputs = [run["input_sha256"] for run in lake.server.created()]
    assert inputs[:4] == inputs[4:]


@pytest.mark.slow
def test_a_limit_requests_answers_for_the_first_rows_of_all_parts(lake, engine):
    lake.rowcite("run", "-q", "--limit", "5")
    assert len(lake.server.created()) == 2
    assert one_table(lake.parts())["rowcite_status"].to_list() == [
        *(
            "completed",
            "skipped",
            "completed",
            "completed",
            "completed",
            "pending",
            "pending",
            "completed",
            "skipped",
        )
    ]


@pytest.mark.slow
def test_status_counts_the_rows_of_all_parts_without_reading_them(lake, engine):
    lake.rowcite("run", "-q", "--limit", "5")
    (lake.folder / ".rowcite" / "small" / "last_write.json").unlink(missing_ok=True)
    engine.done.clear()
    assert "9 rows: 5 completed, 2 pending, 2 skipped" in lake.rowcite("status")
    assert engine.done == []


def test_given_values_and_where_resolve_as_in_one_process(lake, engine):
    for number, names in enumerate(NAMES):
        file = lake.folder / "in" / f"part-{number}.parquet"
        table = pq.read_table(file)
        given = pa.array([("Given" if place % 2 else None) for place in range(len(names))], pa.string())
        pq.write_table(table.append_column("industry", given), file)
    changes = {"columns": {"existing": "fill"}, "input": {"path": "in", "where": "name <> 'Beta AG'"}}
    changes["escalate"] = ["pro"]
    changes["accept"] = {"fields": {"industry": {"one_of": ["Given"]}}}
    lake.rowcite("run", "-q", "--escalate-anyway", **changes)
    lake.rowcite("write", "-q", "--engine", "polars", "-o", "whole.parquet", **changes)
    assert one_table(lake.parts()).equals(pl.read_parquet(lake.folder / "whole.parquet"))


@pytest.mark.slow
def test_a_part_that_is_in_its_place_is_not_written_again(lake, engine):
    lake.rowcite("run", "-q")
    times = {file.name: file.stat().st_mtime_ns for file in (lake.folder / "out").iterdir()}
    engine.done.clear()
    lake.rowcite("run", "-q")
    assert engine.done == []
    assert {file.name: file.stat().st_mtime_ns for file in (lake.folder / "out").iterdir()} == times


@pytest.mark.slow
def test_only_the_part_whose_rows_changed_is_written_again(lake, engine):
    lake.rowcite("run", "-q")
    file = lake.folder / "in" / "part-1.parquet"
    pq.write_table(pq.read_table(file).slice(0, 1), file)
    engine.done.clear()
    lake.rowcite("run", "-q")
    assert engine.done == ["survey_part", "merge_part"]
    assert [part.num_rows for part in lake.parts()] == [4, 1, 0, 2, 1]


@pytest.mark.slow
def test_a_part_that_is_gone_leaves_the_output(lake, engine):
    lake.rowcite("run", "-q")
    (lake.folder / "in" / "part-4.parquet").unlink()
    (lake.folder / "out" / "notes.txt").write_text("not a part")
    lake.rowcite("run", "-q")
    names = {file.name for file in (lake.folder / "out").iterdir()}
    assert names == {
        "part-0.parquet",
        "part-1.parquet",
        "part-2.parquet",
        "part-3.parquet",
        "notes.txt",
        "_SUCCESS",
        "_rowcite.json",
    }


def test_parts_that_were_written_before_a_kill_are_kept(lake, engine):
    lake.rowcite("submit", "-q")
    lake.rowcite("collect", "-q", "--wait", "30s")
    shutil.rmtree(lake.folder / "out")

    def dies(work: Any, order: Any) -> None:
        if work.func.__name__ == "merge_part" and order.part.name == "part-1.parquet":
            raise RuntimeError

    engine.fails = dies
    lake.rowcite("write", "-q", code=1)
    assert not (lake.folder / "out" / "_SUCCESS").exists()
    assert not list((lake.folder / "out").glob("*.parquet"))
    engine.fails = None
    engine.done.clear()
    lake.rowcite("write", "-q")
    assert engine.done == ["merge_part"] * 2  # of five
    assert [part.num_rows for part in lake.parts()] == list(map(len, NAMES))


@pytest.mark.slow
def test_a_richer_folder_is_not_replaced(lake, engine):
    lake.rowcite("run", "-q")
    before = lake.parts()
    text = lake.rowcite("write", "--ledger", "empty", code=5)
    assert "out/ is kept: it has 7 answered rows, and the new table 0. The new table is " in text
    assert lake.parts() == before
    assert one_table(lake.parts("out.partial"))["rowcite_status"].unique().sort().to_list() == [
        "pending",
        "skipped",
    ]
    lake.rowcite("run", "-q", "--ledger", "other")
    assert not (lake.folder / "out.partial").exists()


@pytest.mark.parametrize("manifest", ["kept", "lost"])
def test_a_richer_folder_with_folders_in_it_is_not_replaced(closed, engine, manifest):
    (closed.folder / "in" / "2026").mkdir()
    for part in (closed.folder / "in").glob("*.parquet"):
        part.rename(part.parent / "2026" / part.name)
    nested = {"input": {"path": "in/**/*.parquet"}}
    closed.rowcite("write", "-q", "--ledger", "empty", code=5, **nested)
    assert (closed.folder / "out" / "2026" / "part-0.parquet").exists()  # where there was nothing
    before = answer_all_rows(closed.folder / "out" / "2026" / "part-0.parquet")
    if manifest == "lost":
        (closed.folder / "out" / "_rowcite.json").unlink()
    text = closed.rowcite("write", "--ledger", "empty", code=5, **nested)
    assert f"out/ is kept: it has {before} answered rows, and the new table 0" in text
    assert (closed.folder / "out.partial" / "2026" / "part-0.parquet").exists()


def answer_all_rows(file):
    """Give each row of a written part the status of an answered one; return their number."""
    table = pl.read_parquet(file).with_columns(pl.lit("completed").alias("rowcite_status"))
    table.write_parquet(file)
    return table.height


@pytest.mark.slow
def test_a_file_that_rowcite_did_not_write_stays_in_the_folder_of_a_poorer_table(lake, engine):
    lake.rowcite("run", "-q")
    lake.rowcite("write", "--ledger", "empty", code=5)
    notes = lake.folder / "out.partial" / "notes.txt"
    notes.write_text("mine")
    lake.rowcite("run", "-q", "--ledger", "other")
    assert list(notes.parent.rglob("*")) == [notes]


@pytest.mark.slow
def test_the_changed_input_of_a_command_is_noticed(lake, engine):
    def changes(work: Any, _: Any) -> None:
        if work.func.__name__ == "merge_part":
            engine.fails = None
            shutil.copy(lake.folder / "in" / "part-0.parquet", lake.folder / "in" / "part-5.parquet")

    engine.fails = changes
    text = lake.rowcite("run", code=5)
    assert "The input changed while this command was running" in text
    assert (lake.folder / "out" / "part-5.parquet").exists()


def test_workers_get_no_key_no_ledger_and_no_secret(lake, engine):
    """A ledger cannot be pickled: its connection cannot."""
    seen: list[bytes] = []
    engine.fails = lambda work, item: seen.append(pickle.dumps((work, item)))
    tools = {"url": "https://tools.example", "name": "tools", "headers": {"Authorization": "hunter2"}}
    lake.spec["task"]["mcp_servers"] = [tools]
    spec, variables = write_spec(lake.folder, lake.spec), {"PARALLEL_API_KEY": "key-of-the-account"}
    rowcite("submit", spec, "--base-url", lake.server.url, cwd=lake.folder, **variables)
    rowcite("write", spec, "--base-url", lake.server.url, cwd=lake.folder, **variables)
    assert len(seen) == 10
    assert not [sent for sent in seen if b"hunter2" in sent or b"key-of-the-account" in sent]


def with_texts(file, size):
    """Add two columns of texts to a part, a text in each row with a name; a row is a row group."""
    part = pq.read_table(file, columns=["name", "website", "kind"])
    texts = pa.array([name and "x" * size for name in part["name"].to_pylist()], pa.string())
    pq.write_table(part.append_column("one", texts).append_column("two", texts), file, row_group_size=1)


def test_the_tasks_of_a_part_are_written_once_however_many_batches_it_has(closed, engine):
    """Two rows with texts have more bytes than a batch."""
    for file in (closed.folder / "in").iterdir():
        with_texts(file, 1)
    jobs: list[tuple[PartJob, Any]] = []
    engine.fails = lambda work, item: jobs.append((work.args[0], item))
    closed.rowcite("plan", "-q")
    job, part = next((job, part) for job, part in jobs if part.name == "part-0.parquet")
    with_texts(closed.folder / "in" / part.name, read_limits.BATCH // 4 + 1)
    shutil.rmtree(job.folder)
    job.folder.mkdir()
    survey = survey_part(job, part)
    assert survey.statuses == {"": 3, "skipped": 1}
    batches = list(task_batches(job, survey, 10, pl.Schema()))
    assert [len(batch.tasks) for batch in batches] == [1, 1, 0]
    assert [list(batch.numbers) for batch in batches] == [[10], [12], [13]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": {"path": "out.parquet"}}, "engine daft writes a folder with a file for each part"),
        ({"output": {"path": "in/"}}, "this is the input folder, or one is in the other"),
        ({"input": {"path": "in/part-0.parquet"}}, "engine daft reads a folder or a pattern of parts"),
        ({"engine": {"name": "polars", "address": "ray://host:10001"}}, "`address` is that of a Ray cluster"),
        ({"engine": {"name": "daft", "address": "host:6379"}}, "engine.address"),
    ],
)
def test_a_table_that_an_engine_cannot_work_on_is_refused(closed, engine, changes, message):
    assert message in closed.rowcite("check", code=2, **changes)


def test_a_part_with_another_schema_is_refused_by_column_and_type_before_spending(closed, engine):
    table = pq.read_table(closed.folder / "in" / "part-1.parquet")
    place = table.schema.get_field_index("website")
    other = table.set_column(place, "website", table["website"].cast(pa.large_string()))
    pq.write_table(other, closed.folder / "in" / "part-1.parquet")
    text = closed.rowcite("run", code=2)
    assert "part-1.parquet: column 'website' is large_string, and string in part-0.parquet" in text


@pytest.mark.slow
def test_parts_of_csv_keep_their_names_and_their_partitions(lake, engine):
    shutil.rmtree(lake.folder / "in")
    for country, names in (("NL", ["Acme Oy", "Beta AG"]), ("AT", ["Acme Oy"])):
        (lake.folder / "in" / f"country={country}").mkdir(parents=True)
        rows = "".join(f"{name},{name.split()[0].lower()}.example\n" for name in names)
        (lake.folder / "in" / f"country={country}" / "part.csv").write_text("name,website\n" + rows)
    lake.rowcite("run", "-q")
    lake.rowcite("write", "-q", "--engine", "polars", "-o", "whole.csv")
    parts = [
        (lake.folder / "out" / f"country={country}" / "part.csv").read_text() for country in ("AT", "NL")
    ]
    header = parts[0].splitlines(keepends=True)[0]
    assert parts[0] + parts[1].removeprefix(header) == (lake.folder / "whole.csv").read_text()


@pytest.mark.slow
def test_the_commands_that_read_answers_need_no_engine(lake):
    lake.rowcite("run", "-q", "--engine", "polars", "-o", "whole.parquet")
    assert "Acme Oy" in lake.rowcite("explain", "--row", "1")
    lake.rowcite("deltas", "-o", "deltas.csv", "--key", "website")
    lake.rowcite("report", "-q", "-o", "page.html")


@pytest.mark.skipif(find_spec("daft") is not None, reason="Daft is installed")
def test_without_daft_a_command_ends_before_it_spends(closed):
    text = closed.rowcite("run", "--limit", "1", code=2)
    assert "engine daft needs further packages: pip install '.[daft]'" in text


def test_what_a_killed_command_left_is_removed_after_a_week(lake, engine):
    lake.rowcite("run", "-q")
    folder = lake.folder / ".rowcite" / "small" / "parts"
    before = {file.name for file in folder.iterdir()}
    for name, age in (("answers-old", 8), ("answers-new", 1)):
        (folder / name).mkdir()
        (folder / name / "content").write_bytes(b"answers")
        os.utime(folder / name, (time.time() - age * 86_400,) * 2)
    lake.rowcite("write", "-q")
    assert {file.name for file in folder.iterdir()} == {*before, "answers-new"}
