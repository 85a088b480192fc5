"""A workbook shows every cell as it was with its evidence, stays within Excel's limits, and nothing in it runs."""

import io
import json
import re
import zipfile
from datetime import date, datetime, time, timedelta

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.errors import TableError
from rowcite.inert import is_link
from rowcite.spec.models import CsvOptions
from rowcite.table.columns import EVIDENCE
from rowcite.table.sinks import (
    About,
    NewTable,
    Replacement,
    check_columns,
    open_table,
)
from rowcite.table.sinks.registry import OutputTable
from rowcite.table.sinks.xlsx_files import workbooks
from rowcite.table.sinks.xlsx_sheet import SheetLimits
from rowcite.table.sources import FrameSource, open_source
from support import examples

EXAMPLES = examples(8)
AT = datetime  # without a zone, as Excel has it
STATUS = pl.DataFrame({"rowcite_status": ["completed"]})
CITATION = ("Acme - About", "https://acme.example/about?a=1&b=2#team", "Acme makes anvils.")


def opened(folder, name, data):
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return open_source(str(folder / name), None, CsvOptions())


def write(source, file, added, about=None):
    """Write a table; `added` is a frame as high as it, or a row that all rows get."""
    with open_table(str(file), source, added.schema, None, about) as write_rows:
        write_all(write_rows, source, added)
    return openpyxl.load_workbook(file)


def write_all(write_rows, source, added):
    done = 0
    for rows in source.batches():
        height = rows.frame.height
        some = pl.concat([added] * height) if added.height == 1 else added.slice(done, height)
        write_rows(rows, some)
        done += height


def values(sheet):
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


def evidence(confidence="high", *citations):
    return json.dumps([confidence, citations or [CITATION]]).encode()


def found(*cells):
    """Return the columns of a field whose values and evidence are given."""
    texts, kept = zip(*cells, strict=True)
    marks = [json.loads(data)[0] if data else None for data in kept]
    return pl.DataFrame(
        {
            "v": texts,
            EVIDENCE + "v": pl.Series(kept, dtype=pl.Binary),
            "v_confidence": pl.Series(marks, dtype=pl.String),
        }
    )


def rows_of(count):
    return FrameSource(pl.DataFrame({"id": range(count)}))


# --- values ----------------------------------------------------------------------------------------------


def test_text_of_a_csv_stays_text(tmp_path):
    texts = [
        "007",
        "12345678901234567890",
        "2024-01-31",
        "1/2",
        "=1+1",
        "TRUE",
        "#N/A",
        "<r>x</r>",
        "_x0041_",
        " a ",
    ]
    source = opened(tmp_path, "in.csv", "v\n" + "\n".join(texts) + "\n")
    sheet = write(source, tmp_path / "out.xlsx", STATUS).worksheets[0]
    shown = [row[0] for row in values(sheet)[1:]]
    assert shown == [text.replace("_x0041_", "_x005F_x0041_") for text in texts]  # openpyxl shows the escape
    assert {cell.data_type for (cell, *_) in sheet.iter_rows(min_row=2)} <= {"s", "inlineStr"}
    again = open_source(str(tmp_path / "out.xlsx"), None, CsvOptions())
    assert pl.concat([rows.frame for rows in again.batches()])["v"].to_list() == texts


def test_cells_of_a_workbook_keep_their_types(tmp_path):
    cells = [
        "007",
        230,
        2.5,
        True,
        date(2024, 1, 31),
        AT(2024, 1, 31, 10, 30),
        time(10, 30),
        timedelta(hours=30),
    ]
    book = openpyxl.Workbook()
    book.active.append([f"c{place}" for place in range(len(cells))] + ["mixed", "error"])
    for mixed, error in zip(
        (date(2024, 1, 31), 7, "7", AT(2024, 1, 31, 10, 30), True), ("#N/A", 1, 2, 3, 4), strict=True
    ):
        book.active.append([*cells, mixed, error])
    book.save(tmp_path / "in.xlsx")
    source = open_source(str(tmp_path / "in.xlsx"), None, CsvOptions())
    sheet = write(source, tmp_path / "out.xlsx", STATUS).worksheets[0]
    before = openpyxl.load_workbook(tmp_path / "in.xlsx").active
    assert [row[:-1] for row in values(sheet)] == values(before)
    shown = [cell.number_format for cell in sheet[2]]
    assert shown[4:8] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss", "[h]:mm:ss"]
    assert sheet["J2"].data_type != "e"  # the text of the error: an error is a formula's result


def test_what_a_workbook_would_round_is_text(tmp_path):
    frame = pl.DataFrame(
        {
            "long": [9007199254740993, 999999999999999],
            "nan": [float("nan"), 0.5],
            "old": [date(1850, 1, 1), date(1900, 3, 1)],
            "fine": pl.Series([1, 1_000_000], dtype=pl.Datetime("us")),
            "list": [["a", "b"], None],
            "zoned": pl.Series([0, 0], dtype=pl.Datetime("us", "Europe/Berlin")),
        }
    )
    sheet = write(FrameSource(frame), tmp_path / "out.xlsx", STATUS).worksheets[0]
    assert [row[:-1] for row in values(sheet)[1:]] == [
        (
            "9007199254740993",
            None,
            "1850-01-01",
            "1970-01-01T00:00:00.000001",
            '["a","b"]',
            "1970-01-01T00:00:00Z",
        ),
        (
            999999999999999,
            0.5,
            AT(1900, 3, 1),
            AT(1970, 1, 1, 0, 0, 1),
            None,
            "1970-01-01T00:00:00Z",
        ),
    ]


def test_members_of_json_lines_keep_their_own_types(tmp_path):
    source = opened(
        tmp_path, "in.jsonl", '{"a":1,"b":"1"}\n{"a":"x","b":[1,"a"]}\n{"a":12345678901234567890,"b":1e5}\n'
    )
    sheet = write(source, tmp_path / "out.xlsx", STATUS).worksheets[0]
    assert [row[:2] for row in values(sheet)[1:]] == [
        (1, "1"),
        ("x", '[1,"a"]'),
        ("12345678901234567890", 100000),
    ]


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]).filter(lambda c: c not in "\ufffe\uffff"),
    min_size=1,
    max_size=6,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"a": TEXT, "b": st.one_of(TEXT, st.integers(-(10**14), 10**14)), "c": st.booleans()}
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_table_reads_back(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp()
    source = opened(folder, "any.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    write(source, folder / "any.xlsx", STATUS)
    again = open_source(str(folder / "any.xlsx"), None, CsvOptions())
    assert [json.loads(line) for part in again.batches() for line in part.lines] == [
        {**row, "rowcite_status": "completed"} for row in rows
    ]


@pytest.mark.parametrize("given", ["csv", "tsv", "jsonl", "parquet", "xlsx"])
def test_every_format_is_written_as_a_workbook_and_from_one(tmp_path, given):
    source = FrameSource(pl.DataFrame({"id": ["007", "8"], "name": ["Åse", None]}))
    with open_table(str(tmp_path / f"in.{given}"), source, STATUS.schema) as write_rows:
        for rows in source.batches():
            write_rows(rows, pl.concat([STATUS, STATUS]))
    first = open_source(str(tmp_path / f"in.{given}"), None, CsvOptions())
    write(first, tmp_path / "out.xlsx", STATUS.rename({"rowcite_status": "s"}))
    book = open_source(str(tmp_path / "out.xlsx"), None, CsvOptions())
    write_back = tmp_path / f"again.{given}"
    added = pl.DataFrame({"t": [1, 2]})
    with open_table(str(write_back), book, added.schema) as write_rows:
        for rows in book.batches():
            write_rows(rows, added)
    again = open_source(str(write_back), None, CsvOptions())
    assert pl.concat([rows.frame for rows in again.batches()]).select("id", "name").rows() == [
        ("007", "Åse"),
        ("8", None),
    ]


# --- evidence --------------------------------------------------------------------------------------------


def test_a_found_cell_has_a_comment_a_link_and_a_fill_that_reads_without_colour(tmp_path):
    added = (
        found(("anvils", evidence()), (230, evidence("low")), (None, None))
        if False
        else found(("anvils", evidence()), ("tools", evidence("low")), (None, None))
    )
    sheet = write(rows_of(3), tmp_path / "out.xlsx", added).worksheets[0]
    cell, low, blank = sheet["B2"], sheet["B3"], sheet["B4"]
    assert cell.comment.text == "Confidence: high\n1. Acme - About\n“Acme makes anvils.”"
    assert (cell.value, cell.hyperlink.target, cell.hyperlink.location) == (
        "anvils",
        "https://acme.example/about?a=1&b=2",
        "team",
    )
    assert cell.fill.fgColor.rgb != low.fill.fgColor.rgb
    assert (sheet["C2"].value, sheet["C2"].number_format) == ("high", '"●●● "@')
    assert (sheet["C3"].number_format, low.font.italic, cell.font.italic) == ('"●○○ "@', True, False)
    assert (blank.value, blank.comment, blank.hyperlink) == (None, None, None)


def test_a_found_number_stays_a_number_under_its_link(tmp_path):
    added = pl.DataFrame({"n": [230], EVIDENCE + "n": [evidence("0.6")]})
    sheet = write(rows_of(1), tmp_path / "out.xlsx", added).worksheets[0]
    assert (sheet["B2"].value, sheet["B2"].data_type, sheet["B2"].hyperlink is None) == (230, "n", False)


def test_the_sheets_have_a_frozen_header_a_filter_and_widths(tmp_path):
    book = write(rows_of(2), tmp_path / "out.xlsx", found(("x" * 30, evidence()), ("y", evidence())))
    assert book.sheetnames == ["Enriched", "Sources", "Run"]
    sheet = book["Enriched"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:C3")
    assert sheet.column_dimensions["B"].width > 30
    assert book["Run"].column_dimensions["B"].width > book["Run"].column_dimensions["A"].width > 30


def test_sources_has_a_row_for_each_citation_and_run_the_facts(tmp_path):
    data = evidence("high", CITATION, (None, "ftp://old.example/x", ""))
    about = About(lambda: [("rows", 1), ("spec", "=cmd()")])
    book = write(rows_of(1), tmp_path / "out.xlsx", found(("anvils", data)), about)
    assert values(book["Sources"])[1:] == [
        (2, "v", "anvils", "high", "Acme - About", CITATION[1], "Acme makes anvils."),
        (2, "v", "anvils", "high", None, "ftp://old.example/x", None),
    ]
    assert (book["Sources"]["F2"].hyperlink is None, book["Sources"]["F3"].hyperlink is None) == (False, True)
    assert values(book["Run"])[:3] == [("what", "value"), ("rows", 1), ("spec", "=cmd()")]


def test_beyond_the_limits_of_links_and_comments_the_evidence_is_on_sources():
    about, added, file = About(), found(*[("x", evidence())] * 3), io.BytesIO()
    table = OutputTable(rows_of(3), added.schema, about)
    with workbooks(SheetLimits(rows=3, links=2, comments=1)).open(file, table) as write_rows:
        write_all(write_rows, table.source, added)
    book = openpyxl.load_workbook(file)
    cells = [book["Enriched"][f"B{row}"] for row in (2, 3, 4)]
    assert [cell.comment is not None for cell in cells] == [True, False, False]
    assert [cell.hyperlink is not None for cell in cells] == [True, True, False]
    assert [len(values(book[name])) for name in ("Sources", "Sources 2")] == [3, 2]
    assert about.notes == [
        "comments are on the first 1 of 3 found cells; the sheet Sources has the evidence of all",
        "links are on the first 2 of 3 found cells; the sheet Sources has the URLs of all",
    ]
    assert [row[1] for row in values(book["Run"]) if row[0] == "note"] == about.notes


# --- limits of Excel, checked before anything is spent ----------------------------------------------------


def refused(source, added=STATUS):
    with pytest.raises(TableError) as error:
        check_columns("out.xlsx", source, added.schema)
    return str(error.value)


def test_an_original_cell_that_is_too_long_is_refused_by_row_and_column():
    check_columns("out.xlsx", FrameSource(pl.DataFrame({"a": ["x" * 32_767]})), STATUS.schema)
    text = refused(FrameSource(pl.DataFrame({"a": ["x", "\U0001f600" * 16_384]})))
    assert "row 2, column 'a': 32,768 characters, and a cell of a workbook holds 32,767" in text


def test_too_many_rows_or_columns_are_refused():
    check_columns("out.xlsx", rows_of(1_048_575), STATUS.schema)
    assert "1,048,576 rows, and a sheet has 1,048,575 below its header" in refused(rows_of(1_048_576))
    narrow = workbooks(SheetLimits(columns=1))
    with pytest.raises(TableError, match="2 columns, and a sheet has 1"):
        narrow.check("out.xlsx", OutputTable(rows_of(1), STATUS.schema))


def test_a_workbook_is_not_packed():
    with pytest.raises(TableError, match="compressed inside"):
        check_columns("out.xlsx.gz", rows_of(1), STATUS.schema)


def test_a_missing_extra_is_named_before_anything_is_spent(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    assert "workbooks need optional packages" in refused(rows_of(1))


# --- nothing runs ----------------------------------------------------------------------------------------

HOSTILE = [
    '=HYPERLINK("http://evil.example")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1)",
    '<r><t>x</t></r></is></c><c r="A9"><f>1+1</f></c>',
    '<r></is></c><c r="Z9"><f>1+1</f><v>2</v></c><c t="inlineStr"><is><r></r>',
    "]]><f>1</f>",
    "{=1+1}",
    "a\x00\x07\x1b[2J\x7f\u0085b",
    "\r=1",
    "\ufffd\ufffe",
    "_x003D_1",
]
LINKS = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "\\\\host\\share",
    "internal:Sheet1!A1",
    "external:c:\\x.xlsx",
    "mailto:x@example.com",
    "http://",
    "https://a b.example",
    'https://x.example/"onload="x',
    "https://x.example/" + "x" * 3_000,
    "data:text/html,x",
    " https://x.example",
    "https://[::1",
    "https://x.example/\ufffe",
]


@pytest.mark.parametrize("url", LINKS)
def test_only_web_addresses_are_links(url):
    assert not is_link(url)


def test_nothing_in_a_workbook_runs_whatever_was_found(tmp_path):
    cells = [
        (
            text,
            evidence(
                "high", *[(text, url, text) for url in (*LINKS, "https://ok.example/" + text[:3].strip())]
            ),
        )
        for text in HOSTILE
    ]
    texts = FrameSource(
        pl.DataFrame(
            {text.encode("utf-8", "replace").decode() or "x": ["=1"] * len(cells) for text in HOSTILE}
        )
    )
    kept = [
        (text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), data) for text, data in cells
    ]
    book = write(texts, tmp_path / "out.xlsx", found(*kept))
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not [
        name for name in parts if re.search(r"vbaProject|externalLink|activeX|embeddings|connections", name)
    ]
    for name, text in parts.items():
        if name.startswith("xl/worksheets/sheet"):
            assert not re.search(r"<f[\s>/]", text)
            assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
        for target in re.findall(r'Target="([^"]*)" TargetMode="External"', text):
            assert target.startswith("https://ok.example/")
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    column = [row[-2] for row in values(book["Enriched"])[1:]]
    assert column[:7] == HOSTILE[:7]
    assert column[7:9] == ["a[2J\u0085b", "\n=1"]
    assert column[10] == "_x005F_x003D_1"


# --- replacing -------------------------------------------------------------------------------------------


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("1.xlsx", "2.xlsx"):
        write(rows_of(2), tmp_path / name, found(("x", evidence()), ("y", evidence())))
    assert (tmp_path / "1.xlsx").read_bytes() == (tmp_path / "2.xlsx").read_bytes()


def test_a_richer_workbook_is_kept(tmp_path):
    write(rows_of(2), tmp_path / "out.xlsx", STATUS)
    poorer = Replacement(lambda: NewTable(answered=1, complete=False))
    assert poorer.choose(str(tmp_path / "out.xlsx"), rows_of(2)) == str(tmp_path / "out.partial.xlsx")
    assert "it has 2 answered rows, and the new table 1" in poorer.warning
    equal = Replacement(lambda: NewTable(answered=2, complete=False))
    assert equal.choose(str(tmp_path / "out.xlsx"), rows_of(2)) == str(tmp_path / "out.xlsx")


def test_an_error_while_writing_leaves_no_file(tmp_path):
    def broken(source):
        yield from source.batches()
        raise RuntimeError

    source = rows_of(1)
    with (
        pytest.raises(RuntimeError),
        open_table(str(tmp_path / "o.xlsx"), source, STATUS.schema) as write_rows,
    ):
        _ = [write_rows(rows, STATUS) for rows in broken(source)]
    assert list(tmp_path.iterdir()) == []
