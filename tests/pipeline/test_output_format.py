"""A new output format is one registered OutputFormat: no other place knows the formats by name."""

import re
from contextlib import contextmanager

import pytest

from rowcite.cli import main
from rowcite.table.sinks import FORMATS, OutputFormat
from rowcite.table.sinks.text_columns import without_nesting
from support import small_spec, write_spec

PAGE = "<title>Acme Oy</title><h1>Acme Oy</h1><dl><dt>Slogan</dt><dd>=HYPERLINK</dd></dl>"
OUTPUTS = {
    "slogan": {"type": "string", "description": "Slogan"},
    "products": {"type": "array", "items": "string", "description": "Products"},
}


@contextmanager
def open_markdown(stream, table):
    names = list(table.columns)
    stream.write(line(names) + line(["---"] * len(names)))

    def write(rows, added):
        stream.writelines(map(line, without_nesting(rows.frame.hstack(added)).iter_rows()))

    yield write
    stream.write(b"\n")


def line(cells) -> bytes:
    return ("| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |\n").encode()


@pytest.fixture(autouse=True)
def _markdown(monkeypatch):
    monkeypatch.setitem(FORMATS, "md", OutputFormat("md", (".md",), native=False, open=open_markdown))


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "acme.html").write_text(PAGE)
    (tmp_path / "table.csv").write_text("name,note\nAcme Oy,=1+1\n")
    task = {"processor": "core", "inputs": {"company": {"column": "name"}}, "outputs": OUTPUTS}
    output = {"path": "out.md"}
    return write_spec(tmp_path, small_spec(task=task, local={"corpus": "corpus"}, output=output))


def cells(text: str) -> list[dict[str, str]]:
    head, _, *rows = [re.split(r" ?\| ?", row)[1:-1] for row in text.strip().splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_check_accepts_the_suffix_of_a_registered_format(spec):
    assert main(["check", str(spec), "-q"]) == 0


def test_run_and_write_produce_a_registered_format(spec, tmp_path):
    assert main(["run", str(spec), "-q"]) == 0
    text = (tmp_path / "out.md").read_text()
    (row,) = cells(text)
    assert (row["name"], row["note"], row["rowcite_status"]) == ("Acme Oy", "=1+1", "completed")
    assert text.endswith("|\n\n")
    (tmp_path / "out.md").unlink()
    assert main(["write", str(spec), "-q"]) == 0
    assert (tmp_path / "out.md").read_text() == text


def test_found_formulas_are_escaped_in_a_registered_format_without_native_types(spec, tmp_path):
    assert main(["run", str(spec), "-q"]) == 0
    (row,) = cells((tmp_path / "out.md").read_text())
    assert row["slogan"] == "'=HYPERLINK"


def test_a_registered_format_can_be_packed(spec, tmp_path):
    import gzip

    assert main(["run", str(spec), "-q", "-o", str(tmp_path / "out.md.gz")]) == 0
    (row,) = cells(gzip.decompress((tmp_path / "out.md.gz").read_bytes()).decode())
    assert row["name"] == "Acme Oy"


def test_an_unknown_suffix_lists_the_registered_formats(spec, tmp_path, capsys):
    assert main(["check", str(spec), "-o", str(tmp_path / "out.xyz")]) == 2
    assert (
        "out.xyz: unknown format. End it in .csv, .tsv, .parquet, .jsonl, .xlsx or .md"
        in capsys.readouterr().err
    )
