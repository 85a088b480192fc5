"""Whole runs over generated tables: each original value comes back unchanged, beside the answers."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowcite.cli import main
from support import diagonal, examples, rowcite, served, small_spec, write_spec
from support.answers import NOWHERE, answered, known

PAGES = {
    "acme.html": "<title>Acme Oy</title><h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p>"
    "<table><tr><th>Employees</th><td>230</td></tr></table>",
    "borealis.md": "---\nurl: https://borealis.example/about\n---\n# Borealis Foods\n\nBorealis Foods was founded in 1987.\n",
}
ADDED = [
    *(
        f"{field}{part}"
        for field in ("employee_count", "founded_year")
        for part in ("", "_confidence", "_citations")
    ),
    *("rowcite_status", "rowcite_error", "rowcite_processor", "rowcite_run_id"),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def server(corpus, tmp_path_factory):
    with served(tmp_path_factory.mktemp("server"), corpus) as running:
        yield running


def spec(folder: Path, server, **changes: object) -> Path:
    changed = {"backend": "parallel", "limits": {"max_cost_usd": 1000}, **changes}
    return write_spec(folder, {key: value for key, value in small_spec(**changed).items() if key != "local"})


def run(file: Path, server, *flags: str) -> int:
    return main(["run", str(file), "--base-url", server.url, "-q", *flags])


def parsed(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def table(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


# --- any table -------------------------------------------------------------------------------------------

NASTY = st.sampled_from(
    [
        "=1+1",
        "+49 30 1",
        "-5",
        "@x",
        '"',
        '""',
        ",",
        "\n",
        "\r\n",
        "\r",
        "\x00",
        " x ",
        "007",
        "😀",
        "\u2028",
        "'",
        "\t",
        "null",
        "NA",
        "\ufeff",
    ]
)
CELL = st.one_of(NASTY, st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
NAME = st.one_of(st.sampled_from(["Acme Oy", "Borealis Foods", "Unknown & Sons", ""]), CELL)


@settings(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(CELL, NAME, CELL, CELL), min_size=1, max_size=6))
def test_every_original_value_comes_back_in_its_row(tmp_path, server, rows):
    original = [["id", "name", "website", 'a "note", \n=x'], *map(list, rows)]
    (tmp_path / "table.csv").write_bytes(table(original))
    assert run(spec(tmp_path, server, columns={"citations": "full"}), server) == 0
    after = parsed((tmp_path / "out.csv").read_bytes())
    assert after[0] == original[0] + ADDED
    assert [row[:4] for row in after[1:]] == original[1:]
    for row in after[1:]:
        found = dict(zip(after[0], row, strict=True))
        # Python strips U+001C to U+001F, which Unicode does not class as white space.
        blank = not found["name"].translate(dict.fromkeys(range(0x1C, 0x20), "x")).strip()
        assert found["rowcite_status"] == ("skipped" if blank else "completed")
        for field in ("employee_count", "founded_year"):
            assert found[field] == "" or int(found[field])
            citations = json.loads(found[f"{field}_citations"] or "[]")
            assert bool(citations) == bool(found[field])
            assert all(excerpt in page(item["url"]) for item in citations for excerpt in item["excerpts"])


def page(url: str) -> str:
    """Return the visible text of a cited page."""
    (text,) = (text for name, text in PAGES.items() if url.endswith(name) or f"url: {url}\n" in text)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_the_command_enriches_a_table(tmp_path, corpus):
    (tmp_path / "table.csv").write_bytes(
        table([["id", "name", "website"], ["007", "Acme Oy", "=x"], ["008", "Unknown Ltd", ""]])
    )
    file = write_spec(tmp_path, small_spec(local={"corpus": str(corpus)}))
    done = rowcite("run", file, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    first, second = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))
    assert (first["id"], first["website"]) == ("007", "=x")
    assert (first["employee_count"], first["founded_year"]) == ("230", "1999")
    assert first["founded_year_confidence"] in ("low", "medium", "high")
    assert first["founded_year_citations"].endswith("acme.html")
    assert first["rowcite_processor"] == "local:core"
    assert second["employee_count"] == second["founded_year_citations"] == second["rowcite_error"] == ""


# --- formats ---------------------------------------------------------------------------------------------

COMPANIES = pl.DataFrame(
    {
        "id": [1, 2],
        "name": ["Acme Oy", "Borealis Foods"],
        "website": ["acme.example", None],
        "tags": [["a"], []],
    }
)


@pytest.mark.parametrize(
    ("kind", "out"),
    diagonal(
        ["csv", "parquet", "jsonl"], ["csv", "tsv", "parquet", "jsonl", "csv.gz", "csv.zst", "jsonl.gz"]
    ),
)
def test_each_input_format_can_be_written_as_each_output_format(tmp_path, server, kind, out):
    flat = COMPANIES.drop("tags")
    writers = {"csv": flat.write_csv, "parquet": COMPANIES.write_parquet, "jsonl": COMPANIES.write_ndjson}
    writers[kind](tmp_path / f"in.{kind}")
    assert (
        run(
            spec(tmp_path, server),
            server,
            "-i",
            str(tmp_path / f"in.{kind}"),
            "-o",
            str(tmp_path / f"out.{out}"),
        )
        == 0
    )
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson}
    target = tmp_path / f"out.{out}"
    after = (
        pl.read_csv(target, separator="\t") if out == "tsv" else read[out.split(".")[0]](target.read_bytes())
    )
    assert after["name"].to_list() == COMPANIES["name"].to_list()
    assert after["founded_year"].to_list() == [1999, 1987]
    assert list(after.columns)[-len(ADDED) :] == ADDED


def test_parquet_keeps_schema_and_metadata_and_gets_native_columns(tmp_path, server):
    before = pa.table(
        {
            "name": pa.array(["Acme Oy", None]).dictionary_encode(),
            "website": pa.array([None, None], pa.string()),
            "at": pa.array([1, None], pa.timestamp("ms", "Asia/Tokyo")),
            "raw": pa.array([b"\xff", None]),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "nothing": pa.nulls(2),
        }
    ).replace_schema_metadata({"owner": "sales"})
    pq.write_table(before, tmp_path / "in.parquet")
    file = spec(
        tmp_path,
        server,
        input={"path": "in.parquet"},
        output={"path": "out.parquet"},
        columns={"citations": "full"},
    )
    assert run(file, server) == 0
    after, kept = pq.read_table(tmp_path / "out.parquet"), pq.read_table(tmp_path / "in.parquet")
    assert after.select(kept.column_names).equals(kept)
    assert after.schema.metadata == kept.schema.metadata == {b"owner": b"sales"}
    assert after["founded_year"].to_pylist() == [1999, None]
    (citation,) = after["founded_year_citations"].to_pylist()[0]
    assert set(citation) == {"url", "title", "excerpts"}
    assert citation["excerpts"] == ["Acme Oy was founded in 1999."]


def test_jsonl_lines_are_kept_with_new_members_at_the_end(tmp_path, server):
    line = '{ "name":"Acme Oy" ,"website":null, "n": 1.0, "deep":{"x":[1,null]} '
    (tmp_path / "in.jsonl").write_text(line + "}\n")
    assert (
        run(
            spec(tmp_path, server),
            server,
            "-i",
            str(tmp_path / "in.jsonl"),
            "-o",
            str(tmp_path / "out.jsonl"),
        )
        == 0
    )
    out = (tmp_path / "out.jsonl").read_text()
    assert out.startswith(line + ",")
    assert json.loads(out)["founded_year"] == 1999


def test_a_found_formula_is_guarded_and_an_original_one_is_not(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "acme.html").write_text(
        "<title>Acme Oy</title><h1>Acme Oy</h1><dl><dt>Slogan</dt><dd>=HYPERLINK</dd></dl>"
    )
    outputs = {"slogan": {"type": "string", "description": "Slogan"}}
    task = {"processor": "core", "inputs": {"company_name": {"column": "name"}}, "outputs": outputs}
    file = write_spec(tmp_path, small_spec(task=task, local={"corpus": "corpus"}))
    (tmp_path / "table.csv").write_text("name,note\nAcme Oy,=1+1\n")
    for formulas, shown in (("escape", "'=HYPERLINK"), ("keep", "=HYPERLINK")):
        write_spec(
            tmp_path, small_spec(task=task, local={"corpus": "corpus"}, columns={"formulas": formulas})
        )
        assert main(["run", str(file), "-q"]) == 0
        (row,) = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))
        assert (row["slogan"], row["note"]) == (shown, "=1+1")


def test_a_found_list_is_json_text_in_a_csv_and_a_list_in_jsonl(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "acme.html").write_text(
        "<title>Acme Oy</title><h1>Acme Oy</h1><h2>Products</h2><ul><li>Anvils</li><li>Rockets</li></ul>"
    )
    outputs = {"products": {"type": "array", "items": "string", "description": "Products"}}
    task = {"processor": "core", "inputs": {"company_name": {"column": "name"}}, "outputs": outputs}
    file = write_spec(tmp_path, small_spec(task=task, local={"corpus": "corpus"}))
    (tmp_path / "table.csv").write_text("name\nAcme Oy\n")
    assert main(["run", str(file), "-q"]) == 0
    assert main(["write", str(file), "-q", "-o", str(tmp_path / "out.jsonl")]) == 0
    (row,) = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))
    native = json.loads((tmp_path / "out.jsonl").read_text())["products"]
    assert json.loads(row["products"]) == native == ["Anvils", "Rockets"]


# --- repeated runs, paths and streams ------------------------------------------------------------------------


def test_a_second_run_submits_nothing_and_writes_the_same_bytes(tmp_path, server):
    (tmp_path / "table.csv").write_text("name,website\nAcme Oy,\nBorealis Foods,\n")
    file = spec(tmp_path, server)
    assert run(file, server) == 0
    first, created = (tmp_path / "out.csv").read_bytes(), len(server.created())
    assert run(file, server) == 0
    assert (tmp_path / "out.csv").read_bytes() == first
    assert len(server.created()) == created


def test_duplicate_rows_cost_one_run(tmp_path, server):
    (tmp_path / "table.csv").write_text("name,website\nTwice Ltd,\n Twice Ltd ,\nTwice Ltd,\n")
    before = len(server.created())
    assert run(spec(tmp_path, server), server) == 0
    assert len(server.created()) == before + 1
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert len({row["rowcite_run_id"] for row in rows}) == 1
    assert [row["name"] for row in rows] == ["Twice Ltd", " Twice Ltd ", "Twice Ltd"]


def test_rows_outside_where_pass_through(tmp_path, server):
    (tmp_path / "table.csv").write_text(
        "name,website,country\nAcme Oy,,FI\nBorealis Foods,,US\nUnknown Ltd,,\n"
    )
    assert run(spec(tmp_path, server, input={"path": "table.csv", "where": "country = 'US'"}), server) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert [row["rowcite_status"] for row in rows] == ["skipped", "completed", "skipped"]
    assert rows[0]["rowcite_error"] == "outside `where`"


def test_an_input_that_is_too_long_is_not_submitted_and_fails_the_run(tmp_path, server):
    (tmp_path / "table.csv").write_text(f"name,website\nAcme Oy,\n{'x' * 200_000},\n")
    before = len(server.created())
    assert run(spec(tmp_path, server), server) == 7
    rows = pl.read_csv(tmp_path / "out.csv")
    assert rows["rowcite_status"].to_list() == ["completed", "failed"]
    assert "characters" in rows["rowcite_error"][1]
    assert len(server.created()) == before + 1


def test_a_header_alone_gives_a_header(tmp_path, server):
    (tmp_path / "table.csv").write_text("name,website")
    assert run(spec(tmp_path, server), server) == 0
    assert parsed((tmp_path / "out.csv").read_bytes()) == [["name", "website", *ADDED]]


def test_stdin_goes_to_stdout(tmp_path, server):
    file = spec(tmp_path, server)
    data = 'name,website\nAcme Oy,\n"Né, Ltd",\n'.encode()
    done = rowcite("run", file, "-i", "-", "-o", "-", "--base-url", server.url, cwd=tmp_path, stdin=data)
    assert done.returncode == 0
    head, first, second = parsed(done.stdout)
    assert head == ["name", "website", *ADDED]
    assert (first[0], second[0]) == ("Acme Oy", "Né, Ltd")
    assert sorted(file.name for file in tmp_path.iterdir()) == [".rowcite", "spec.yaml"]


def test_stdin_may_be_jsonl_when_the_spec_says_so(tmp_path, server):
    file = spec(tmp_path, server, input={"path": "-", "format": "jsonl"}, output={"path": "-"})
    done = rowcite(
        "run", file, "--base-url", server.url, cwd=tmp_path, stdin=b'{"name":"Acme Oy","website":null}\n'
    )
    assert json.loads(done.stdout)["founded_year"] == 1999


def test_paths_of_a_spec_are_relative_to_it_and_those_of_flags_to_the_working_folder(
    tmp_path, server, monkeypatch
):
    home, work = tmp_path / "a spec's höme", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    (home / "table.csv").write_text("name,website\nAcme Oy,\n")
    file = spec(home, server, output={"path": "../out put/é.csv"})
    monkeypatch.chdir(work)
    assert run(Path("..") / home.name / file.name, server) == 0
    assert (tmp_path / "out put" / "é.csv").exists()
    assert (home / ".rowcite" / "small" / "ledger.db").exists()
    assert main(["write", str(file), "-o", "here.csv", "--base-url", server.url, "-q"]) == 0
    assert (work / "here.csv").read_bytes() == (tmp_path / "out put" / "é.csv").read_bytes()


@pytest.mark.parametrize("target", ["table.csv", "link.csv", "parts/out.csv", "parts/p9.csv"])
def test_the_input_is_never_written_over_and_nothing_is_spent(tmp_path, server, target):
    (tmp_path / "table.csv").write_text("name,website\nAcme Oy,\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    (tmp_path / "parts").mkdir()
    shutil.copy(tmp_path / "table.csv", tmp_path / "parts" / "p1.csv")
    table = {"parts/out.csv": "parts", "parts/p9.csv": "parts/p*.csv"}.get(target, "table.csv")
    before = len(server.created())
    assert run(spec(tmp_path, server), server, "-i", str(tmp_path / table), "-o", str(tmp_path / target)) == 2
    assert (tmp_path / "table.csv").read_text() == "name,website\nAcme Oy,\n"
    assert len(server.created()) == before


def test_a_table_that_rowcite_wrote_is_not_enriched_again(tmp_path, server, capsys):
    (tmp_path / "table.csv").write_text("name,website\nAcme Oy,\n")
    file = spec(tmp_path, server)
    assert run(file, server) == 0
    assert run(file, server, "-i", str(tmp_path / "out.csv"), "-o", str(tmp_path / "again.csv")) == 2
    assert "rowcite wrote it" in capsys.readouterr().err


def test_a_report_file_is_not_escaped_for_spreadsheets(tmp_path):
    task = {"processor": "core", "inputs": {"company": {"column": "name"}}, "output": {"type": "text"}}
    spec = known(tmp_path, [{"name": "Alpha"}], task=task, accept={}, columns={"reports": "reports"})
    answered(spec, [json.dumps({"type": "text", "content": "- a\n- b", "basis": []}).encode()])
    assert main(["write", str(spec), "--base-url", NOWHERE, "-q"]) == 0
    assert (tmp_path / "reports" / "row-000001.md").read_text() == "- a\n- b\n"
    (row,) = csv.DictReader(io.StringIO((tmp_path / "out" / "known.csv").read_text()))
    assert row["answer"] == "'- a\n- b"
