"""A workbook is read as it is, cell by cell, or refused by the address of what would have to be guessed."""

import io
import zipfile
from contextlib import nullcontext
from datetime import date, datetime, time, timedelta

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.sources import open_source
from rowcite.table.sources.limits import max_bytes_of
from rowcite.table.sources.members import members, own_texts
from rowcite.table.sources.xlsx_parts import Parts, open_parts
from rowcite.table.sources.xlsx_scan import scan_sheet
from support import examples

EXAMPLES = examples(10)
DAY = date(2024, 1, 31)
AT = datetime  # without a zone, as Excel has it


def workbook(file, *rows, sheets=("Accounts",), change=lambda sheet, book: None):
    """Write rows to the last of some sheets; `change` gets that sheet and the workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
    for row in rows:
        sheet.append(row)
    change(sheet, book)
    book.save(file)
    return file


@pytest.fixture
def made(tmp_path):
    """Return a function that writes a workbook and returns its path."""
    return lambda *rows, name="t.xlsx", **how: workbook(tmp_path / name, *rows, **how)


def opened(file, sheet=None, **options):
    return open_source(str(file), None, CsvOptions(**options), sheet=sheet)


def frame(source):
    return pl.concat([rows.frame for rows in source.batches()])


def texts(source):
    """Return the cells as a CSV output has them."""
    (rows,) = source.batches()
    return own_texts(rows, rows.frame.columns).rows()


def refused(file, sheet=None, **options):
    with pytest.raises(TableError) as error:
        opened(file, sheet, **options)
    return str(error.value)


def edited(file, part, *changes):
    """Replace bytes in a part of a workbook."""
    whole = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            for before, after in changes if name == part else ():
                assert before in data
                data = data.replace(before, after)
            new.writestr(name, data)
    file.write_bytes(whole.getvalue())
    return file


SHEET = "xl/worksheets/sheet1.xml"

# --- values ----------------------------------------------------------------------------------------------


def test_every_type_of_cell_stays_what_it_is(made):
    values = ["007", "12345678901234567890", "2024-01-31", 230, 2.5, True, DAY, AT(2024, 1, 31, 10, 30)]
    values += [time(10, 30), timedelta(hours=30)]
    source = opened(made(list("abcdefghij"), values))
    assert frame(source).row(0) == tuple(values)
    assert [str(dtype) for dtype in source.schema.values()][3:9] == [
        *("Int64", "Float64", "Boolean", "Date", "Datetime(time_unit='us', time_zone=None)", "Time")
    ]


def test_a_cell_of_a_column_with_several_types_keeps_its_own(made):
    source = opened(made(["id"], ["007"], [7], [7.5], [True], [DAY], ["7"]))
    (rows,) = source.batches()
    assert rows.lines == [
        b'{"id":"007"}',
        b'{"id":7}',
        b'{"id":7.5}',
        b'{"id":true}',
        b'{"id":"2024-01-31"}',
        b'{"id":"7"}',
    ]
    assert [text for (text,) in texts(source)] == ["007", "7", "7.5", "true", "2024-01-31", "7"]


def test_what_a_cell_sends_does_not_depend_on_other_rows(made):
    def sent(*values):
        (rows,) = opened(made(["v"], *([value] for value in values))).batches()
        return members(rows, ["v"]).row(0)

    for value in (230, True, DAY, time(10, 30)):
        assert sent(value) == sent(value, "text", 0.5, AT(2024, 1, 31, 0, 1))
    assert sent(DAY) == sent(DAY, AT(2024, 1, 31, 10, 30))


CELL = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=8).filter(
        lambda text: not text.startswith("=") and "\ufffe" not in text and "\uffff" not in text
    ),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300).filter(
        lambda x: abs(x) > 1e-300
    ),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    st.none(),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, st.integers(0, 9)), min_size=1, max_size=6))
def test_any_table_reads_back(tmp_path_factory, rows):
    file = tmp_path_factory.getbasetemp() / "any.xlsx"
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False})
    day, sheet = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b", "n"])
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(number, column, value, day)
            else:
                sheet.write(number, column, value)
    book.close()
    (read,) = opened(file).batches()
    for line, row in zip(read.lines, rows, strict=True):
        own = pl.read_json(io.BytesIO(line), infer_schema_length=None).row(0)
        for found, value in zip(own, row, strict=True):
            if isinstance(value, float):
                assert found == pytest.approx(value, rel=1e-14)  # Excel stores 15 to 17 digits
            else:
                assert found == (value.isoformat() if isinstance(value, date) else value)


def test_leading_and_trailing_spaces_and_line_breaks_stay(made):
    assert texts(opened(made(["v"], [" a\nb "]))) == [(" a\nb ",)]


def test_a_workbook_with_macros_is_read(made):
    assert texts(opened(made(["v"], ["x"], name="t.xlsm"))) == [("x",)]


def test_a_packed_workbook_is_read(made):
    import gzip

    file = made(["v"], ["x"])
    packed = file.with_suffix(".xlsx.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert texts(opened(packed)) == [("x",)]


def test_workbooks_of_a_folder_are_one_table_with_their_types_joined(made, tmp_path):
    made(["v"], [1], name="1.xlsx")
    made(["v"], [0.5], ["x"], name="2.xlsx")
    assert frame(opened(tmp_path))["v"].to_list() == ["1", "0.5", "x"]


def test_workbooks_with_another_header_are_not_one_table(made, tmp_path):
    made(["v"], [1], name="1.xlsx")
    made(["w"], [1], name="2.xlsx")
    assert "the header is w, and in 1.xlsx v" in refused(tmp_path)


def test_a_part_that_changes_before_its_rows_are_read_is_an_error(made, tmp_path):
    made(["v"], [1], name="1.xlsx")
    made(["v"], [2], name="2.xlsx")
    source = opened(tmp_path)
    made(["v"], ["x"], name="2.xlsx")
    with pytest.raises(TableError, match=r"2\.xlsx: the workbook changed while it was read"):
        list(source.batches())


# --- where the table is ----------------------------------------------------------------------------------


def test_the_first_sheet_that_is_not_hidden_is_read_unless_one_is_named(made):
    def hide(sheet, book):
        book["Old"].append(["old"])
        book["Old"].sheet_state = "hidden"

    file = made(["v"], ["x"], sheets=("Old", "Accounts & Co"), change=hide)
    assert list(opened(file).schema) == ["v"]
    assert list(opened(file, "Old").schema) == ["old"]
    assert list(opened(file, "Accounts & Co").schema) == ["v"]


def test_a_sheet_that_is_not_there_is_refused_with_the_names(made):
    text = refused(made(["v"], sheets=("Leads", "Accounts")), "Acounts")
    assert 'no sheet "Acounts" (did you mean "Accounts"?)' in text
    assert '"Leads", "Accounts"' in text


def test_a_table_may_begin_anywhere_on_its_sheet(made):
    def put(sheet, book):
        sheet["C4"], sheet["D4"], sheet["D5"] = "a", "b", 5

    assert frame(opened(made(change=put))).rows(named=True) == [{"a": None, "b": 5}]


def test_titles_above_the_header_are_skipped_by_number(made):
    file = made(["Accounts of May"], ["id", "name"], [1, "x"])
    assert (
        "Accounts!B2: a value in a column without a name. If row 1 is a title, set input.csv.skip_lines"
        in refused(file)
    )
    assert list(opened(file, skip_lines=1).schema) == ["id", "name"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[]], "the sheet Accounts is empty"),
        ([["a", None, "b"], [1, None, 2]], "Accounts!B1: the header has no name here"),
        ([["a", "b", "a"]], "Accounts!A1: the header has 'a' more than once"),
        (
            [["a", "b"], [1, 2, 3]],
            "Accounts!C2: a value in a column without a name. Name the column in row 1",
        ),
        ([["a"], [1], [None], ["b"], [2]], "Accounts!A3: row 3 is blank, and rows follow it"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused_by_address(made, rows, message):
    assert message in refused(made(*rows))


def test_a_merged_header_is_refused(made):
    file = made(["a", "b"], ["x", "y"], change=lambda sheet, _: sheet.merge_cells("A1:A2"))
    assert "Accounts!A1: a merged cell in the header (A1:A2)" in refused(file)


def test_a_header_without_rows_is_a_table(made):
    source = opened(made(["a", "b"]))
    assert (list(source.schema), list(source.batches())) == (["a", "b"], [])


# --- cells without a value -------------------------------------------------------------------------------


def test_a_formula_is_its_stored_value(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "t.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.write_formula(1, 0, "=1+1", None, 2)
    sheet.write_formula(1, 1, '="x"', None, "x")
    book.close()
    source = opened(tmp_path / "t.xlsx")
    assert frame(source).row(0) == (2, "x")
    assert not source.faults


def test_a_formula_without_a_stored_value_is_blank_and_counted(made):
    source = opened(made(["a", "b"], ["x", "=1+1"], ["y", "=1+2"], ["z", 3]))
    assert frame(source)["b"].to_list() == [None, None, 3]
    assert list(map(str, source.faults)) == [
        'column "b": 2 cells are read as blank: a formula without a stored value. The first is Accounts!B2'
    ]


def test_an_error_is_blank_and_counted_and_its_column_keeps_its_type(made):
    source = opened(made(["a", "b"], ["x", "#N/A"], ["#N/A as text", 5]))
    assert frame(source).rows() == [("x", None), ("#N/A as text", 5)]
    assert [(fault.column, fault.cells, fault.first) for fault in source.faults] == [("b", 1, "Accounts!B2")]


def test_merged_cells_below_the_header_are_blank_but_for_their_first(made):
    def merge(sheet, _):
        sheet.merge_cells("A2:A3")
        sheet.merge_cells("A4:A5")

    file = made(["a", "b"], ["x", 1], ["", 2], ["y", 3], ["", 4], change=merge)
    (fault,) = opened(file).faults
    assert (fault.column, fault.first, fault.cells, fault.blocks) == ("a", "Accounts!A3", 2, True)


def test_hidden_rows_are_read_with_a_warning_and_hidden_columns_too(made):
    def hide(sheet, _):
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True

    source = opened(made(["a", "b"], [1, 2], [3, 4], change=hide))
    assert frame(source).rows() == [(1, 2), (3, 4)]
    assert list(map(str, source.faults)) == ["sheet Accounts: 1 hidden row is read like the others"]


# --- files that are not such a workbook ------------------------------------------------------------------

OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def zipped(name):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(name, "x")
    return whole.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"id,name\n", "is not an Excel workbook. If it is a CSV"),
        (b"<html><table>", "is HTML or XML and not an Excel workbook"),
        (OLD, "is an old Excel workbook (.xls)"),
        (OLD + "EncryptedPackage".encode("utf-16-le"), "is protected with a password"),
        (zipped("xl/workbook.bin"), "is a binary Excel workbook (.xlsb)"),
        (zipped("mimetype"), "is a LibreOffice document (.ods)"),
        (zipped("a.txt"), "is a zip file and not an Excel workbook"),
        (b"PK\x03\x04 and no more", "a damaged workbook: its end is missing"),
    ],
)
def test_another_kind_of_file_is_refused_by_name(tmp_path, data, message):
    (tmp_path / "t.xlsx").write_bytes(data)
    assert message in refused(tmp_path / "t.xlsx")


def test_a_sheet_that_is_larger_than_memory_allows_is_refused_before_it_is_read(made):
    def far(sheet, _):
        sheet["XFD1048576"] = "x"

    assert "the sheet reaches to XFD1048576: 17,179,869,184 cells" in refused(made(["a"], [1], change=far))


@pytest.mark.parametrize(("rows", "message"), [(65_000, None), (66_000, "more than 2,048 MiB of text")])
def test_text_that_repeats_beyond_memory_is_refused(tmp_path, rows, message):
    file = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(file) as book:  # openpyxl shares no texts
        book.add_worksheet().write_column(0, 0, ["a", "x" * 32_767])
    cells = b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>1</v></c></row>' % (row, row) for row in range(3, rows)
    )
    edited(file, SHEET, (b"</sheetData>", cells + b"</sheetData>"))
    with open_parts(file) as parts, pytest.raises(TableError, match=message) if message else nullcontext():
        assert scan_sheet(file, parts, SHEET).rows == rows - 1


def test_a_sheet_that_unpacks_to_too_much_is_refused(made):
    file = edited(made(["a"], ["x"]), SHEET, (b"</sheetData>", b" " * (3 << 20) + b"</sheetData>"))
    with zipfile.ZipFile(file) as opened_file:
        parts = Parts(file, opened_file, most=1 << 20)
        with pytest.raises(TableError, match="a sheet of more than 1 MiB"):
            list(parts.chunks(SHEET))
    assert max_bytes_of(file) == 1 << 30


HIDDEN_CELLS = [
    (b'<c r="A2"', b"<c"),
    (b'<c r="A2"', b'<c r="A2" r="XFD1048576"'),
    (b'<c r="A2"', b'<c r="A2"r="XFD1048576"'),
    (b'<c r="A2"', b"<c x='>' r=\"XFD1048576\""),
    (b'<c r="A2"', b'<:c r="XFD1048576"/><c'),
    (b"<sheetData>", b"<!-- x --><sheetData>"),
]


@pytest.mark.parametrize("change", HIDDEN_CELLS)
def test_xml_that_hides_cells_from_the_check_is_refused(made, change):
    assert "not as Excel writes it" in refused(edited(made(["a"], [1]), SHEET, change))


RELATIONS = "xl/_rels/workbook.xml.rels"


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("_rels/.rels", (b"xl/workbook.xml", b"xl/other.xml")),
        (RELATIONS, (b"/xl/worksheets/sheet1.xml", b"/xl/worksheets/sheet9.xml")),
        (RELATIONS, (b"<Relationships", b"<!-- --><Relationships")),
        ("xl/workbook.xml", (b"<sheets>", b'<sheets><sheet name="Accounts" sheetId="9" r:id="rId1"/>')),
    ],
)
def test_a_workbook_that_names_other_parts_than_those_that_are_checked_is_refused(made, part, change):
    assert "not as Excel writes it" in refused(edited(made(["a"], [1]), part, change))


def test_parts_whose_names_differ_in_case_alone_are_refused(made):
    file = made(["a"], [1])
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("XL/worksheets/sheet1.xml", "")
    assert "it has a part more than once" in refused(file)


def test_a_damaged_part_is_refused(made):
    file = made(["a"], [1])
    data = bytearray(file.read_bytes())
    at = data.index(b"xl/worksheets/sheet1.xml") + 40
    data[at : at + 8] = b"\xff" * 8
    file.write_bytes(data)
    assert "a damaged workbook" in refused(file)


def test_prefixed_names_of_elements_are_read(made):
    file = made(["a"], ["=1+1"], [5])
    with zipfile.ZipFile(file) as archive:
        names = {b"worksheet", b"sheetData", b"row", b"c", b"v", b"f", b"is", b"t"}
        data = archive.read(SHEET)
    changes = [(data, prefixed(data, names))]
    source = opened(edited(file, SHEET, *changes))
    assert frame(source)["a"].to_list() == [None, 5]
    assert source.faults[0].first == "Accounts!A2"


def prefixed(data, names):
    for name in names:
        for end in (b" ", b">", b"/"):
            data = data.replace(b"<" + name + end, b"<x:" + name + end)
        data = data.replace(b"</" + name + b">", b"</x:" + name + b">")
    return data.replace(b"xmlns=", b"xmlns:x=")


def test_a_missing_extra_is_named_with_what_installs_it(made, monkeypatch):
    import sys

    file = made(["a"], [1])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    text = refused(file)
    assert "workbooks need optional packages" in text
    assert "pip install" in text
