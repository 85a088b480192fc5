"""The report's sections about accuracy, from the JSON of `rowcite eval`."""

import csv
import json

import pytest

from rowcite.cli import main
from rowcite.errors import UsageError
from rowcite.report.measured import measured_parts, read_measured
from support.answers import NOWHERE, answer, answered, found, known

CITIES = [("1", "pumps", "high"), ("2", "valves", "high"), ("3", "wool", "medium"), ("4", "mills", "low")]
LABELS = {"1": "pumps", "2": "steel", "3": "wool", "4": "mills"}


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """Return a spec whose ledger has four answers, and a table of labels beside it."""
    folder = tmp_path_factory.mktemp("measured")
    path = known(folder, [{"id": key, "name": f"N{key}"} for key, *_ in CITIES])
    answered(path, [answer(industry=found(value, sure)) for _, value, sure in CITIES])
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "industry"), *LABELS.items()])
    return path


@pytest.fixture(scope="module")
def evaluation(spec):
    """Return the file that `rowcite eval --json` wrote."""
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        args = ["--truth", str(spec.parent / "truth.csv"), "--key", "id", "--base-url", NOWHERE]
        assert main(["eval", str(spec), *args, "--target", "0.9", "--json"]) == 0
    file = spec.parent / "evaluation.json"
    file.write_text(out.getvalue(), encoding="utf-8")
    return file


def by_id(parts):
    return {part.id: part for part in parts if part is not None}


def test_the_sections_have_the_figures_of_the_evaluation_with_their_intervals(evaluation):
    parts = by_id(measured_parts(read_measured(str(evaluation), "known")))
    (accuracy,) = parts["accuracy"].table.rows
    assert accuracy == ("industry", "4", "67% (21% to 94%) of 3", "50% (15% to 85%) of 4")
    (stated,) = parts["stated"].table.rows
    assert parts["stated"].table.columns == ("Field", "high", "medium", "low")
    assert stated == (
        "industry",
        "50% (9% to 91%) of 2",
        "100% (21% to 100%) of 1",
        "100% (21% to 100%) of 1",
    )
    assert "high: 50% (9% to 91%) of 2" in parts["stated"].svgs[0][1]


def test_the_front_has_a_line_for_each_policy_and_names_one_that_is_not_certified(evaluation):
    front = by_id(measured_parts(read_measured(str(evaluation), "known")))["front"]
    assert front.table.columns == ("Policy", "list price a row", "values given right")
    assert front.table.rows[0][1:] == ("$0.025", "50% (13% to 87%)")
    assert "is the best, but not certified for 90% in every field" in front.text
    assert all('aria-label="Cost a row against values given right' in svg for _, svg in front.svgs)


def test_the_page_has_the_evaluation_of_the_flag(spec, evaluation):
    page = spec.parent / "page.html"
    args = ["report", str(spec), "--base-url", NOWHERE, "-o", str(page), "--evaluation", str(evaluation)]
    assert main(args) == 0
    text = page.read_text(encoding="utf-8")
    assert "67% (21% to 94%) of 3" in text
    assert "Cost against accuracy" in text


def test_without_labels_the_page_says_so_and_draws_nothing():
    (part,) = measured_parts(None)
    assert part.text.startswith("No labels: how often these values are right is not known.")
    assert (part.svgs, part.table) == ((), None)


def test_a_field_without_labels_is_shown_as_such(evaluation):
    whole = json.loads(evaluation.read_text(encoding="utf-8"))
    empty = {"value": None, "low": None, "high": None, "n": 0}
    other = {"processor": "core", "field": "listed", "labelled": 1, "precision": empty, "recall": empty}
    whole["fields"].append({**other, "by_confidence": {}})
    file = evaluation.parent / "more.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    accuracy = by_id(measured_parts(read_measured(str(file), "known")))["accuracy"]
    assert accuracy.table.rows[1] == ("listed", "1", "no labels", "no labels")
    assert "listed: no labels" in accuracy.svgs[0][1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("a,b\n1,2\n", "is not the JSON of `rowcite eval --json`"),
        ('{"fields": [{"field": 3}]}', "is not the JSON of `rowcite eval --json`"),
        ('{"fields": [], "spec": "other"}', "is an evaluation of other, not of known"),
    ],
)
def test_a_file_that_is_no_evaluation_of_the_spec_is_named(tmp_path, text, message):
    file = tmp_path / "file.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as raised:
        read_measured(str(file), "known")
    assert str(file) in str(raised.value)
