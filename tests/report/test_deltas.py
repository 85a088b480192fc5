"""Deltas: only changed cells, for imports that never blank a field by accident."""

import csv
import io
import json
from contextlib import closing

import pytest

from rowcite.ledger import open_ledger
from rowcite.model import Decision
from support import rowcite
from support.answers import NOWHERE, answer, answered, found, known, ready

ROWS = [{"id": "001A000001aaaaa", "name": "Pumps"}, {"id": "001A000001bbbbb", "name": "Valves"}]


def deltas(path, *flags, key="id", output="changes.csv"):
    return rowcite(
        "deltas", path.name, "--base-url", NOWHERE, "-o", output, "--key", key, *flags, cwd=path.parent
    )


def changes(path, *flags, **how):
    done = deltas(path, *flags, **how)
    assert done.returncode == 0, done.stderr.decode()
    return table(path.parent / how.get("output", "changes.csv"))


def table(file):
    return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))


def made(folder, *outputs, rows=ROWS, **spec):
    path = known(folder, rows, **spec)
    answered(path, outputs)
    return path


def test_only_changed_rows_and_columns_are_written(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps"), employee_count=found(7)), answer())
    assert changes(path) == [["id", "industry", "employee_count"], [ROWS[0]["id"], "pumps", "7"]]


def test_pending_rows_draw_a_warning_with_the_command_to_type(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps")), rows=ROWS)
    line = f"warning: 1 row is still pending: run `rowcite run {path.name} --base-url {NOWHERE}`"
    assert line in deltas(path).stderr.decode().splitlines()


def test_a_rejected_value_is_not_a_change(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps", "low"), employee_count=found(7)), "The run failed")
    assert changes(path) == [["id", "employee_count"], [ROWS[0]["id"], "7"]]


def test_a_rejected_value_that_the_table_keeps_is_not_a_change(tmp_path):
    accept = {"min_confidence": "medium", "on_reject": "keep"}
    path = made(tmp_path, answer(industry=found("pumps", "low"), employee_count=found(7)), accept=accept)
    assert changes(path)[0] == ["id", "employee_count"]


@pytest.mark.parametrize(
    ("importer", "text"),
    [([], '["P1", "P2"]'), (["--for", "hubspot"], "P1;P2"), (["--for", "salesforce"], "P1;P2")],
)
def test_lists_are_written_as_the_importer_reads_them(tmp_path, importer, text):
    path = made(tmp_path, answer(products=found(["P1", "P2"]), listed=found(False)))
    assert changes(path, *importer) == [["id", "listed", "products"], [ROWS[0]["id"], "false", text]]


def test_a_list_with_the_separator_in_a_value_is_left_out_with_a_warning(tmp_path):
    path = made(tmp_path, answer(products=found(["a;b"]), listed=found(True)))
    assert changes(path, "--for", "hubspot")[0] == ["id", "listed"]
    assert (
        b"left out 1 value that the importer would read differently"
        in deltas(path, "--for", "hubspot").stderr
    )


@pytest.mark.parametrize("text", ["#N/A", "#n/a", " #N/A "])
def test_a_value_that_salesforce_reads_as_empty_is_never_written(tmp_path, text):
    path = made(tmp_path, answer(industry=found(text), employee_count=found(7)))
    assert changes(path, "--for", "salesforce")[0] == ["id", "employee_count"]


def test_a_file_for_each_field_has_no_blank_cells(tmp_path):
    path = made(
        tmp_path, answer(industry=found("pumps")), answer(industry=found("valves"), employee_count=found(7))
    )
    assert deltas(path, "--per-field", output="d/changes.csv").returncode == 0
    files = {file.name: table(file) for file in (tmp_path / "d").iterdir()}
    assert files == {
        "changes.industry.csv": [["id", "industry"], [ROWS[0]["id"], "pumps"], [ROWS[1]["id"], "valves"]],
        "changes.employee_count.csv": [["id", "employee_count"], [ROWS[1]["id"], "7"]],
    }


def test_a_file_for_a_field_never_replaces_the_table(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps")))
    table_file = (tmp_path / "table.csv").rename(tmp_path / "table.industry.csv")
    before = table_file.read_bytes()
    done = deltas(path, "--per-field", "-i", table_file.name, output="table.csv")
    assert (done.returncode, table_file.read_bytes()) == (2, before)
    assert b"--output table.industry.csv: this is a table of this spec" in done.stderr


def test_a_value_of_an_earlier_file_is_left_out(tmp_path):
    path = made(
        tmp_path,
        answer(industry=found("pumps"), employee_count=found(1200)),
        answer(industry=found("valves")),
    )
    (tmp_path / "crm.csv").write_text(
        f'id,industry,employee_count\n{ROWS[0]["id"]},old,"1,200"\n{ROWS[1]["id"]},valves,\n'
    )
    assert changes(path, "--against", "crm.csv") == [["id", "industry"], [ROWS[0]["id"], "pumps"]]


IMPORTERS = [(), ("--for", "hubspot")]


@pytest.mark.parametrize("first", IMPORTERS, ids=["plain", "hubspot"])
@pytest.mark.parametrize("then", IMPORTERS, ids=["plain", "hubspot"])
def test_a_deltas_file_against_itself_is_empty(tmp_path, first, then):
    path = made(tmp_path, answer(industry=found("pumps"), products=found(["a", "b"]), listed=found(True)))
    changes(path, *first, output="first.csv")
    assert changes(path, *then, "--against", "first.csv") == [["id"]]


def test_a_table_without_changes_gives_a_header_and_a_message(tmp_path):
    done = deltas(made(tmp_path))
    assert b"changes.csv: nothing changed" in done.stderr
    assert b"rowcite status" in done.stderr
    assert (tmp_path / "changes.csv").read_text() == "id\n"


def test_rows_without_a_key_are_left_out_with_a_warning(tmp_path):
    rows = [{"id": " ", "name": "Pumps"}, ROWS[1]]
    path = made(tmp_path, answer(industry=found("pumps")), answer(industry=found("valves")), rows=rows)
    done = deltas(path, "--json")
    assert (json.loads(done.stdout)["rows"], json.loads(done.stdout)["without_key"]) == (1, 1)
    assert b"left out 1 changed row without a key" in done.stderr


def test_one_key_with_two_values_is_an_error(tmp_path):
    rows = [{"id": "X1", "name": "Pumps"}, {"id": "X1", "name": "Valves"}]
    path = made(tmp_path, answer(industry=found("pumps")), answer(industry=found("valves")), rows=rows)
    done = deltas(path)
    assert (done.returncode, b"different values: X1." in done.stderr) == (2, True)
    assert not (tmp_path / "changes.csv").exists()


def test_one_key_with_the_same_values_is_one_row(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps")), rows=[ROWS[0], ROWS[0]])
    assert len(changes(path)) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"key": "nr"}, '--key: column "nr" is not in the table. Columns: id, name'),
        ({"output": "changes.parquet"}, "deltas are written as CSV"),
        ({"flags": ["--against", "table.csv"]}, "has none of the columns industry"),
        ({"flags": ["--against", "nothing.csv"]}, "--against: nothing.csv"),
    ],
)
def test_invalid_options_exit_with_2(tmp_path, flags, message):
    path = made(tmp_path, answer(industry=found("pumps")))
    done = deltas(path, *flags.pop("flags", ()), **flags)
    assert (done.returncode, message in done.stderr.decode()) == (2, True)


@pytest.mark.parametrize(("existing", "changed"), [("fill", ["c"]), ("overwrite", ["b", "c"])])
def test_a_replaced_value_is_a_change(tmp_path, existing, changed):
    rows = [
        {"id": n, "name": n, "industry": value}
        for n, value in (("a", "pumps"), ("b", "valves"), ("c", "N/A"))
    ]
    spec = {
        "columns": {"existing": existing},
        "input": {"path": "table.csv", "csv": {"null_values": ["N/A"]}},
    }
    path = made(tmp_path, *[answer(industry=found("pumps"))] * 3, rows=rows, **spec)
    assert [line[0] for line in changes(path)[1:]] == changed


def test_a_decision_is_a_change(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps", "low")), rows=ROWS[:1])
    assert changes(path) == [["id"]]
    with closing(open_ledger(ready(path).ledger, writing=True)) as ledger:
        _, key = next(iter(ledger.scan_states()))
        ledger.record_decisions([Decision(key, "industry", "accept", None, "ann", 1.0)])
    assert changes(path) == [["id", "industry"], [ROWS[0]["id"], "pumps"]]


def test_a_formula_gets_an_apostrophe_unless_the_spec_keeps_formulas(tmp_path):
    path = made(tmp_path, answer(industry=found("=1+1")))
    assert changes(path)[1][1] == "'=1+1"
    assert b"got a leading apostrophe" in deltas(path).stderr
    spec = json.loads(path.read_text()) | {"columns": {"formulas": "keep"}}
    path.write_text(json.dumps(spec))
    assert changes(path)[1][1] == "=1+1"


def test_keys_that_are_not_salesforce_ids_get_a_warning(tmp_path):
    path = made(tmp_path, answer(industry=found("pumps")), rows=[{"id": "7", "name": "Pumps"}])
    assert b"upsert by an external id" in deltas(path, "--for", "salesforce").stderr
