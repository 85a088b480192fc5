"""`rowcite init` as a command: what it writes, what it refuses, and tables that are not as one expects."""

import json
import os
import pty
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowcite.cli import cli, main
from rowcite.draft.draft import draft
from rowcite.draft.sample import Column, Sample, TableForm, read_sample
from rowcite.draft.spec_text import text_of
from rowcite.pipeline.spec_file import load_spec
from support import environment, examples

COMPANIES = (
    b"Company,Website,Industry\nFjordcell,fjordcell.example,\nMalabar Loom,malabarloom.example,Textiles\n"
)


def spec(path="table.yaml"):
    return load_spec(path)


def check(path="table.yaml", *, stdin=None):
    done = CliRunner().invoke(cli, ["check", str(path), "--json"], input=stdin)
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


def test_it_says_what_it_took_and_what_to_type_next(init):
    shown = init(COMPANIES, "-o", "specs/crm.yaml").stderr
    assert 'table.csv: csv, separator ",", encoding utf-8, 3 columns' in shown
    assert 'to send: company_name ("Company"), website ("Website")' in shown
    assert "\n  rowcite plan specs/crm.yaml " in shown
    assert "\n  rowcite run specs/crm.yaml\n" in shown
    assert spec("specs/crm.yaml").input.path == "../table.csv"
    assert check("specs/crm.yaml")["rows"] == 2


def test_a_spec_is_never_overwritten(init, tmp_path):
    (tmp_path / "table.yaml").write_text("mine")
    (tmp_path / "table.csv").write_bytes(COMPANIES)
    assert main(["init", "table.csv"]) == 2
    assert main(["init", "table.csv", "-o", "table.yaml", "--yes"]) == 2
    assert (tmp_path / "table.yaml").read_text() == "mine"


def test_a_table_is_not_taken_for_the_spec_to_write(init, tmp_path):
    (tmp_path / "table.csv").write_bytes(COMPANIES)
    assert main(["init", "table.csv", "-o", "new.csv"]) == 2
    assert not (tmp_path / "new.csv").exists()


def test_the_spec_on_stdout_is_alone_there(init):
    done = init(COMPANIES, "-o", "-")
    assert yaml.safe_load(done.stdout)["name"] == "table"


def test_json_lists_the_choices(init):
    assert json.loads(init(COMPANIES, "--json").stdout) == {
        "spec": "table.yaml",
        "format": "csv",
        "separator": ",",
        "encoding": "utf-8",
        "columns": 3,
        "rows_describe": "company",
        "inputs": {"company_name": "Company", "website": "Website"},
        "outputs": ["employee_count"],
    }


def test_the_first_line_names_a_schema_that_is_there(init, tmp_path):
    init(COMPANIES)
    first = (tmp_path / "table.yaml").read_text().splitlines()[0]
    assert json.loads((tmp_path / first.partition("$schema=")[2]).read_text())["title"] == "rowcite spec"


def test_mail_addresses_are_not_sent(init, tmp_path):
    init(b"Company,E-Mail\nFjordcell,ada@fjordcell.example\n")
    assert [item.column for item in spec().task.inputs.values()] == ["Company"]
    assert '"E-Mail" is not sent: mail addresses are personal data' in (tmp_path / "table.yaml").read_text()


def test_of_mail_addresses_alone_only_the_domain_is_sent(init):
    init(b"mail\nada@fjordcell.example\nben@malabarloom.example\n")
    plan = CliRunner().invoke(cli, ["plan", "table.yaml", "--json"])
    assert "ada@" not in json.dumps(json.loads(plan.stdout)["sample"])
    assert "fjordcell.example" in json.dumps(json.loads(plan.stdout)["sample"])


def test_links_to_one_site_are_not_the_sites_of_companies(init):
    init(
        b"Company,Profile URL\nFjordcell,https://directory.example/a\nMalabar Loom,https://directory.example/b\n"
    )
    assert list(spec().task.inputs) == ["company_name"]


def test_every_suggestion_can_be_used(init, tmp_path):
    """Uncommenting any line of outputs gives a spec that loads."""
    for kind in ("company", "person", "product", "place", "other"):
        init(b"Name,industry\nFjordcell,\n", "--kind", kind, "-o", f"{kind}.yaml")
        lines = (tmp_path / f"{kind}.yaml").read_text().splitlines()
        end = lines.index("# accept:")
        start = next(at for at, line in enumerate(lines) if line.startswith("  outputs:")) + 1
        used = [line.replace("    # ", "    ", 1) for line in lines[start:end]]
        (tmp_path / "all.yaml").write_text(
            "\n".join([*lines[:start], *used, *(line.removeprefix("# ") for line in lines[end:])])
        )
        found = spec("all.yaml")
        assert len(found.task.outputs) == len([line for line in used if line.strip()])
        assert found.accept.required


# --- tables that are not as one expects ------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(refused, content):
    assert "table.csv: the file is empty" in refused(content)


def test_a_header_alone_is_enough(init):
    init(b"Company,Website\n")
    assert [item.column for item in spec().task.inputs.values()] == ["Company", "Website"]
    assert check()["rows"] == 0


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"Company\nFjordcell\nMalabar Loom\n", "Company"),
        (b"company name\nFjordcell, Inc.\nMalabar Loom\n", "company name"),
        (b"Domain\nfjordcell.example\n", "Domain"),
        (b"thing\nred lanterns\ngreen lanterns\n", "thing"),
        ("会社名\nサンプル株式会社\n".encode(), "会社名"),
    ],
)
def test_a_table_of_one_column(init, content, column):
    init(content)
    assert [item.column for item in spec().task.inputs.values()] == [column]
    assert check()["rows"] == content.count(b"\n") - 1


@pytest.mark.parametrize(
    "content",
    [
        b"Fjordcell,fjordcell.example\nMalabar Loom,malabarloom.example\n",
        b"Ada Sample,ada@fjordcell.example\nBen,ben@malabarloom.example\n",
        b"https://fjordcell.example\nhttps://malabarloom.example\n",
    ],
)
def test_a_first_row_of_values_is_an_error(refused, content):
    assert "the first row looks like values and not like the names of columns" in refused(content)


def test_the_name_of_a_member_is_no_value_although_it_is_a_domain(init):
    init(b"company.name,company.website\nFjordcell,fjordcell.example\nMalabar Loom,malabarloom.example\n")
    assert [item.column for item in spec().task.inputs.values()] == ["company.name", "company.website"]


def test_duplicate_names_are_an_error(refused):
    assert "the header has 'Email' more than once" in refused(b"Name,Email,Email\na,b,c\n")


def test_a_title_above_the_header_is_an_error(refused):
    text = b"Accounts by region\nas of 2024-05-01\n\nCompany,City,Country\nFjordcell,Bergen,Norway\nMalabar Loom,Kochi,India\n"
    assert "table.csv:1: 1 cell where most rows have 3. The header seems to be row 3" in refused(text)


def test_a_comment_above_a_header_of_two_columns_is_an_error(refused):
    text = b"# Export of 2024-05-01\nCompany,City\nFjordcell,Bergen\nMalabar Loom,Kochi\n"
    assert "table.csv:1: 1 cell where most rows have 2. The header seems to be row 2" in refused(text)


def test_the_line_for_excel_alone_is_an_error(refused):
    assert '"sep=;" is a line for Excel alone. Delete it' in refused(
        b"sep=;\nCompany;City\nFjordcell;Bergen\n"
    )


def test_names_with_spaces_signs_and_variables(init):
    init(b'" Company: name ",#Website,"a ""b""",${HOME},$$,- x,yes\nFjordcell,fjordcell.example,1,2,3,4,5\n')
    assert [item.column for item in spec().task.inputs.values()] == [" Company: name ", "#Website"]
    assert check()["rows"] == 1


def test_500_columns(init, tmp_path):
    names = [f"Field {number}" for number in range(498)] + ["Company", "Country"]
    init(",".join(names).encode() + b"\n" + ",".join(["x"] * 500).encode() + b"\n")
    assert [item.column for item in spec().task.inputs.values()] == ["Company", "Country"]
    assert "and 486 more" in (tmp_path / "table.yaml").read_text()
    assert check()["rows"] == 1


@pytest.mark.parametrize("name", ["book.xls", "book.ods"])
def test_an_old_workbook_is_an_error_that_says_what_to_do(refused, name):
    assert 'Save it as "Excel Workbook (.xlsx)"' in refused(b"\xd0\xcf\x11\xe0", name=name)


def test_a_workbook_with_the_suffix_of_a_csv_is_an_error(refused):
    assert "has the bytes of a workbook" in refused(b"PK\x03\x04rest\0\0")


def test_a_row_shorter_than_the_header_is_an_error(refused):
    assert "table.csv:2: 1 cell where the header has 2" in refused(b"name,site\nAcme\n")


def test_a_page_saved_as_a_csv_is_an_error(refused):
    assert "is HTML or XML and not a table" in refused(b"<!DOCTYPE html><html>")


def test_a_json_array_is_an_error_with_the_way_to_make_lines_of_it(refused):
    assert "is a JSON array. rowcite reads JSON lines" in refused(
        b'[\n  {"name": "Acme"}\n]\n', name="table.json"
    )


def test_bytes_that_are_not_text_are_an_error(refused):
    assert "is not a text file" in refused(bytes(range(256)) * 20)


@pytest.mark.parametrize("content", [b"\xff\xfea\0b", b"\xef\xbb\xbfM\xfcller\n", b"\0a\0,\0b\0"])
def test_a_file_that_is_cut_off_within_a_character_is_an_error(refused, content):
    assert "but not all of its bytes are" in refused(content)


def test_a_missing_file_names_the_nearest(refused, tmp_path):
    (tmp_path / "accounts.csv").write_bytes(COMPANIES)
    assert refused(None, name="acounts.csv") == "acounts.csv: no such file (did you mean accounts.csv?)"
    assert refused(None, name="nothing-like-it") == "nothing-like-it: no such file"


def test_an_output_of_rowcite_is_an_error(refused):
    assert "rowcite wrote it. Give the original table" in refused(
        b"Company,rowcite_status\nFjordcell,completed\n"
    )


def test_a_table_without_texts_to_send_is_an_error(refused):
    assert "no column has values that can be sent" in refused(b"a,b\n,\n")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Firma;Ort\nMüller;Köln\n", "cp1252"),
        ("Firma;Ort\nMüller;Köln\n", "mac_roman"),
        ("Firma;Ort\nMüller;Köln\n", "utf-16"),
        ("Firma;Ort\nMüller;Köln\n", "utf-16-le"),
        ("Firma;Ort\nMüller;Köln\n", "utf-16-be"),
        ("Firma;Ort\nMüller;Köln\n", "utf-32"),
        ("Firma;Ort\n" + "x;y\n" * 200_000 + "Müller;Köln\n", "cp1252"),
        ("Компания;Город\nПример;Москва\nОбразец;Казань\n", "cp1251"),
        ("会社名;市\nサンプル株式会社;東京\nテスト商事;大阪\n", "cp932"),
        ("公司名称;城市\n示例有限公司;北京\n测试公司;上海\n", "gb18030"),
        ("회사명;도시\n예시 주식회사;서울\n", "cp949"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_encodings_are_detected(init, text, encoding):
    init(text.encode(encoding))
    assert spec().input.csv.encoding == encoding.replace("_", "-") or spec().input.csv.encoding.replace(
        "-", ""
    ) == encoding.replace("_", "").replace("-", "")
    assert check()["rows"] == text.count("\n") - 1


def test_a_guessed_encoding_is_called_a_guess(init):
    shown = init("Firma;Ort\nMüller;Köln\n".encode("cp1252")).stderr
    assert 'encoding cp1252 (a guess: "Müller")' in shown


def test_texts_for_blank_cells_are_found(init):
    init(b"Company,Website\nFjordcell,N/A\nMalabar Loom,-\n")
    assert spec().input.csv.null_values == ("", "-", "N/A")


def test_parquet_and_json_lines(init, tmp_path):
    frame = pl.DataFrame({"Company": ["Fjordcell", "Malabar Loom"], "size": [3, 4], "tags": [["a"], []]})
    frame.write_parquet(tmp_path / "table.parquet")
    assert init(None, name="table.parquet", *["-o", "p.yaml"]).exit_code == 0  # noqa: B026
    frame.write_ndjson(tmp_path / "table.jsonl")
    assert init(None, name="table.jsonl", *["-o", "j.yaml"]).exit_code == 0  # noqa: B026
    for path in ("p.yaml", "j.yaml"):
        assert [item.column for item in spec(path).task.inputs.values()] == ["Company"]
        assert check(path)["rows"] == 2


def test_a_file_without_a_known_suffix_is_recognised_by_its_content(init):
    init(COMPANIES.replace(b",", b"\t"), name="export.txt")
    assert (spec("export.yaml").input.format, spec("export.yaml").input.csv.separator) == ("csv", "\t")
    assert check("export.yaml")["rows"] == 2
    init(b'{"Company": "Fjordcell"}\n', name="lines.data")
    assert spec("lines.yaml").input.format == "jsonl"


def test_a_folder_and_a_glob(init, tmp_path):
    for name in ("parts/a.csv", "parts/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(COMPANIES)
    for name in ("parts", "parts/*.csv"):
        assert init(None, "-o", "all.yaml", name=name).exit_code == 0
        assert check("all.yaml")["rows"] == 4
        (tmp_path / "all.yaml").unlink()


def test_the_table_from_stdin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "Firma;Land\nMüllers Gartenbau;Österreich\n".encode("cp1252")
    done = CliRunner().invoke(cli, ["init", "-"], input=text)
    assert done.exit_code == 0, (done.output, done.exception)
    assert (spec().input.path, spec().input.csv.encoding) == ("-", "cp1252")
    assert check(stdin=text)["rows"] == 1


# --- questions -------------------------------------------------------------------------------------------


def typed(answers: bytes, cwd, *args):
    """Run the command on a terminal, with these answers typed ahead."""
    terminal, side = pty.openpty()
    os.write(terminal, answers)
    done = subprocess.run(
        [sys.executable, "-m", "rowcite", "init", "table.csv", *args],
        stdin=side,
        stderr=side,
        stdout=subprocess.PIPE,
        cwd=cwd,
        env=environment(),
        check=True,
        timeout=300,
    )
    os.close(side)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # the other side is closed
        pass
    os.close(terminal)
    assert done.stdout == b""
    return shown.decode()


def test_on_a_terminal_three_questions_have_defaults_and_take_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_bytes(COMPANIES)
    shown = typed(b"\ncompany, idustry\n,\nCompany, Industry\nfounded_year, head\n", tmp_path)
    assert shown.count("]: ") == 5  # one answer was misspelt, and one empty
    assert "did you mean 'Industry'?" in shown
    found = spec().task
    assert {name: item.column for name, item in found.inputs.items()} == {
        "company_name": "Company",
        "industry": "Industry",
    }
    assert list(found.outputs) == ["headquarters", "founded_year"]
    (tmp_path / "table.yaml").unlink()
    typed(b"\n\n\n", tmp_path)
    assert list(spec().task.inputs) == ["company_name", "website"]


def test_with_yes_nothing_is_asked(tmp_path):
    (tmp_path / "table.csv").write_bytes(COMPANIES)
    assert "]: " not in typed(b"", tmp_path, "--yes")


# --- any table -------------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["Name", "Company", "E-mail", "industry", "Employee count", "summary", "official_website", "a: b", "null", "${X}", "#x", "'", '"', "\\", "-", "é\u0301"]),
).filter(lambda name: "\0" not in name)  # fmt: skip
CELLS = st.one_of(
    st.just(""),
    st.text(max_size=8),
    st.sampled_from(["a.example", "x@a.example", "12", "2024-01-02", "Acme Ltd"]),
)


@settings(
    max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(NAMES, min_size=1, max_size=6, unique=True), data=st.data())
def test_the_text_for_any_columns_is_a_spec_of_these_columns(tmp_path, names, data):
    columns = [
        Column(name, [text for text in data.draw(st.lists(CELLS, min_size=2, max_size=2)) if text])
        for name in names
    ]
    usable = any(column.values and column.name.strip() for column in columns)
    if not usable:
        return
    made = draft("t.csv", tmp_path / "t.yaml", Sample(TableForm("csv", None, ","), columns, 2))
    (tmp_path / "t.yaml").write_text(text_of(made), encoding="utf-8")
    found = load_spec(tmp_path / "t.yaml", environ={})
    assert [item.column for item in found.task.inputs.values()] == [pick.column for pick in made.picks]


def test_rows_are_read_up_to_a_limit(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"Company\n" + b"Fjordcell\n" * 5_000)
    assert read_sample(str(tmp_path / "t.csv"), tmp_path / "none").rows == 500


def test_a_folder_of_documents_to_rehearse_with(init, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "fjordcell.md").write_text(
        "# Fjordcell\n\nIndustry: Battery cells\n\nWebsite: fjordcell.example\n"
    )
    shown = init(
        b"Company,Website\nFjordcell,fjordcell.example\n", "--corpus", "pages", "-o", "specs/t.yaml"
    ).stderr
    assert "\n  rowcite run specs/t.yaml  # free: answers from pages" in shown
    done = CliRunner().invoke(cli, ["run", "specs/t.yaml", "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout)["rows"]["completed"] == 1
    assert "Battery cells" in (tmp_path / "specs" / "table-enriched.csv").read_text()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Log nothing: stderr is compared."""


def test_the_query_of_an_address_is_in_no_message_and_no_comment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_bytes(COMPANIES)
    handler = partial(QuietHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/t.csv"
        done = CliRunner().invoke(cli, ["init", f"{address}?key=s3cret"])
        server.shutdown()
    assert done.exit_code == 0, (done.output, done.exception)
    assert "s3cret" not in done.output
    assert spec("t.yaml").input.path == f"{address}?key=s3cret"
    assert (tmp_path / "t.yaml").read_text().count("s3cret") == 1


@pytest.mark.parametrize("name", ["crm.xlsx", "-"])
def test_a_workbook_is_drafted_with_the_sheet_that_is_read(tmp_path, monkeypatch, name):
    import openpyxl

    monkeypatch.chdir(tmp_path)
    book = openpyxl.Workbook()
    book.active.title = "Old"
    book.active.sheet_state = "hidden"
    book.create_sheet("All accounts").append(["Company", "Website"])
    book["All accounts"].append(["Fjordcell", "fjordcell.example"])
    book.create_sheet("Notes")
    book.save("crm.xlsx")
    stdin = (tmp_path / "crm.xlsx").read_bytes() if name == "-" else None
    done = CliRunner().invoke(cli, ["init", name, "-o", "s.yaml"], input=stdin)
    assert done.exit_code == 0, done.output
    assert 'xlsx, sheet "All accounts", 2 columns' in done.output
    assert spec("s.yaml").input.sheet == "All accounts"
    assert "other sheets: Notes" in (tmp_path / "s.yaml").read_text()
    assert check("s.yaml", stdin=stdin)["rows"] == 1
