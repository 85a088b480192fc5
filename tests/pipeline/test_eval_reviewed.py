"""`rowcite eval --truth reviewed`: decisions as labels, reported as the selected sample that they are."""

import json

import polars as pl
import pytest

from rowcite.cli import main
from rowcite.errors import UsageError
from rowcite.library import evaluate
from support.answers import NOWHERE, answer, answered, found, known, spec
from support.labels import Scene, counts, decide


@pytest.fixture
def scene(tmp_path, registry):
    made = Scene(tmp_path, registry)
    made.spec(accept={"min_confidence": "high"})
    made.table(range(6))
    assert made("run", "-q") == 0
    made.spec()
    return made


def reviewed(scene, capsys, *flags):
    capsys.readouterr()
    assert scene("eval", "--truth", "reviewed", "--json", *flags) == 0
    return json.loads(capsys.readouterr().out)


def test_decisions_are_labels_and_said_to_be_a_selected_sample(scene, capsys):
    decide(scene, "Ann", r1_city="accept", r2_city="Bergen", r3_city="blank", r4_city="reject", r2_size="1")
    shown = reviewed(scene, capsys)
    assert counts(shown, "city") == (4, 1, 2, 0, 1, 0, 0, 0)
    assert counts(shown, "size") == (1, 1, 0, 0, 0, 0, 0, 0)
    assert shown["notes"][0].startswith("the labels are 5 decisions by Ann: a selected sample.")


def test_a_rejected_value_is_wrong_and_any_other_is_not_judged(scene, capsys):
    """Nothing is known about another value, nor about the values that there are."""
    decide(scene, "Ann", r1_size="reject", r2_size="reject")
    shown = reviewed(scene, capsys, "--processors", "lite,pro", "--show", "all")
    assert counts(shown, "size", "pro")[:4] == (2, 0, 2, 0)
    assert counts(shown, "size", "lite")[:4] == (1, 0, 1, 0)  # lite finds another size for the first company
    assert all(item["recall"]["n"] == 0 for item in shown["fields"])
    assert {(pair["label"], tuple(pair["not"])) for pair in shown["pairs"]} == {(None, (0,)), (None, (1,))}


def test_cells_on_which_two_reviewers_differ_are_left_out(scene, capsys):
    decide(scene, "Ann", r1_city="accept", r2_city="accept")
    decide(scene, "Bo", r1_city="Bergen")
    shown = reviewed(scene, capsys)
    assert counts(shown, "city")[:2] == (1, 1)
    assert "contradicted by another reviewer: 1 cell" in shown["notes"][1]


def test_a_policy_is_never_chosen_by_a_selected_sample(scene, capsys):
    assert scene("eval", "--truth", "reviewed", "--target", "0.9") == 2
    assert "needs labels of a random sample" in capsys.readouterr().err


def drawn(scene, size):
    """Draw some rows; return the file and the numbers of the rows."""
    file = scene.folder / "sample.csv"
    assert scene("eval", "--draw", str(size), "--key", "id", "-o", str(file)) == 0
    rows = pl.read_csv(file, schema_overrides={"id": pl.String})
    return file, [int(number) + 1 for number in rows["id"]]


FIELDS = ("size", "city", "products")


def test_decisions_on_drawn_rows_are_a_random_sample_that_may_choose_a_policy(scene, capsys):
    file, rows = drawn(scene, 5)
    other = next(row for row in range(1, 7) if row not in rows)
    verdicts = {f"r{row}_{name}": "accept" for row in rows for name in FIELDS}
    decide(scene, "Ann", **verdicts, **{f"r{other}_city": "Bergen"})
    flags = ("--drawn", str(file), "--key", "id")
    shown = reviewed(scene, capsys, *flags, "--target", "0.3")
    assert counts(shown, "city")[:3] == (5, 5, 0)  # the decision on another row does not count
    assert (shown["notes"], shown["choice"]["policy"], shown["choice"]["certified"]) == ([], "core", True)
    assert all(
        pair["outcome"] == "right" for pair in reviewed(scene, capsys, *flags, "--show", "all")["pairs"]
    )


def test_a_policy_is_not_chosen_while_the_right_value_of_a_drawn_cell_is_not_known(scene, capsys):
    file, rows = drawn(scene, 3)
    verdicts = {f"r{row}_{name}": "accept" for row in rows for name in FIELDS}
    del verdicts[f"r{rows[0]}_size"]
    decide(scene, "Ann", **verdicts | {f"r{rows[1]}_city": "reject"})
    flags = ("--truth", "reviewed", "--drawn", str(file), "--key", "id")
    assert scene("eval", *flags) == 0
    assert scene("eval", *flags, "--target", "0.4") == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert f"2 cells of 9 have none: {rows[0] - 1:03} (size), {rows[1] - 1:03} (city)" in shown


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("reviewed", "--drawn", "t.csv", "--key", "id"), "no column is a field of the spec"),
        (("reviewed", "--drawn", "truth.csv", "--key", "id"), "has no column rowcite_stratum"),
        (("reviewed", "--drawn", "truth.csv"), "--drawn needs --truth reviewed and --key"),
        (("truth.csv", "--drawn", "truth.csv", "--key", "id"), "--drawn needs --truth reviewed and --key"),
    ],
)
def test_a_sample_that_was_not_drawn_is_refused(scene, capsys, monkeypatch, flags, message):
    monkeypatch.chdir(scene.folder)
    scene.truth({"id": "001", "city": "Oslo"})
    assert scene("eval", "--truth", *flags) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_every_element_of_a_rejected_list_is_wrong(scene, capsys):
    decide(scene, "Ann", r1_products="reject", r2_products="accept")
    assert counts(reviewed(scene, capsys), "products")[:3] == (2, 2, 2)


def test_a_rejected_boolean_is_wrong(tmp_path, capsys):
    path = known(tmp_path, [{"name": "A"}], accept={"min_confidence": "high"})
    answered(path, [answer(listed=found(True, "low"))])
    page, flags = tmp_path / "open.csv", ["--base-url", NOWHERE]
    assert main(["review", str(path), "--export", str(page), *flags]) == 0
    lines = pl.read_csv(page, infer_schema=False).with_columns(
        verdict=pl.when(pl.col("field") == "listed").then(pl.lit("reject"))
    )
    lines.write_csv(page)
    assert main(["review", str(path), "--import", str(page), *flags]) == 0
    path.write_text(json.dumps(spec(accept={})))
    capsys.readouterr()
    assert main(["eval", str(path), "--truth", "reviewed", "--json", *flags]) == 0
    assert counts(json.loads(capsys.readouterr().out), "listed")[:3] == (1, 0, 1)


def test_without_decisions_there_are_no_labels(scene, capsys):
    assert "there is no decision yet" in reviewed(scene, capsys)["notes"][0]


def test_from_python_the_decisions_need_no_key(scene):
    decide(scene, "Ann", r1_city="accept", r2_city="Bergen")
    result = evaluate(scene.folder / "t.csv", scene.folder / "spec.yaml", "reviewed", base_url=scene.url)
    assert result.frame().select("field", "right", "wrong").rows() == [("city", 1, 1)]
    assert "selected sample" in result.notes[0]
    with pytest.raises(UsageError, match="give key="):
        evaluate(scene.folder / "t.csv", scene.folder / "spec.yaml", "t.csv", base_url=scene.url)


def test_wrong_values_of_several_types_are_texts_in_one_frame(scene):
    decide(scene, "Ann", r1_size="reject", r2_city="reject", r3_products="reject")
    result = evaluate(scene.folder / "t.csv", scene.folder / "spec.yaml", "reviewed", base_url=scene.url)
    wrong = result.pairs_frame()["not"].explode().to_list()
    assert wrong == ["0", "Oslo", "['A', 'B2']"]
    assert result.policies_frame().filter("certified").is_empty()
