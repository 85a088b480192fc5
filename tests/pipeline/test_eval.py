"""`rowcite eval`: faults put into the truth on purpose come back as exactly those figures."""

import csv
import json
from contextlib import closing

import polars as pl
import pytest

from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.evaluation.evaluate import evaluator
from rowcite.evaluation.requests import request_answers
from rowcite.ledger import open_ledger
from rowcite.pipeline.overrides import Overrides
from rowcite.pipeline.prepare import prepare
from rowcite.progress import Silent
from support.labels import Scene, counts, result, right


@pytest.fixture
def scene(tmp_path, registry):
    return Scene(tmp_path, registry)


# --- the figures -----------------------------------------------------------------------------------------


def test_a_truth_that_agrees_with_every_answer_finds_no_fault(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth(*(right(number) for number in range(20)))
    shown = scene.eval(capsys)
    assert counts(shown, "size") == (20, 18, 0, 0, 0, 2, 0, 0)
    assert counts(shown, "city") == (20, 20, 0, 0, 0, 0, 0, 0)
    assert counts(shown, "products") == (20, 40, 0, 0, 0, 0, 0, 0)
    assert result(shown, "city")["precision"]["value"] == 1.0
    assert shown["settings"][0]["cost_usd"] == pytest.approx(20 * 0.025)
    assert shown["settings"][0]["cost_per_right_usd"] == pytest.approx(20 * 0.025 / (18 + 20 + 20))


def test_faults_in_the_truth_come_back_as_exactly_those_figures(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth(
        right(0, size=7, city="Bergen"),  # two wrong
        right(1, size="(none)"),  # invented
        right(9, size=12),  # missed: the answer was null
        right(2, city="", products=""),  # not labelled
        right(3, products="A;B3;C"),  # one element missed
        right(4, products="A"),  # one element wrong
        right(5, products="(none)"),  # two elements invented
        right(6, city=" OSLO. "),  # another spelling
    )
    shown = scene.eval(capsys)
    assert counts(shown, "size") == (8, 5, 1, 1, 1, 0, 0, 0)
    assert counts(shown, "city") == (7, 6, 1, 0, 0, 0, 0, 0)
    assert counts(shown, "products") == (7, 11, 1, 1, 2, 0, 0, 0)
    assert result(shown, "size")["precision"]["value"] == pytest.approx(5 / 7)
    assert result(shown, "size")["recall"]["value"] == pytest.approx(5 / 7)


def test_a_right_value_that_was_rejected_is_counted_as_such(scene, capsys):
    scene.spec(accept={"min_confidence": "high"})
    assert scene("run", "-q") == 0
    scene.truth(right(1), right(2, size=99, products="A;C"))
    shown = scene.eval(capsys)
    assert counts(shown, "size") == (2, 0, 0, 2, 0, 0, 1, 0)
    assert counts(shown, "products") == (2, 0, 0, 4, 0, 0, 3, 0)  # of a list each element counts
    assert result(shown, "size")["by_confidence"]["medium"]["value"] == 0.5


def test_a_row_without_an_answer_is_unanswered_and_not_missed(scene, capsys):
    assert scene("run", "-q", "--limit", "1") == 0
    scene.truth(right(0), right(1))
    assert counts(scene.eval(capsys), "size") == (2, 1, 0, 0, 0, 0, 0, 1)


def test_rows_with_one_input_count_once(scene, capsys):
    rows = [{"id": f"{number:03}", "name": "Company 1"} for number in range(5)]
    pl.DataFrame(rows).write_csv(scene.folder / "t.csv")
    assert scene("run", "-q") == 0
    scene.truth({"id": "000", "size": 1, "city": "Oslo"}, {"id": "001", "size": 2, "city": "Oslo"})
    shown = scene.eval(capsys)
    assert counts(shown, "city")[:2] == (1, 1)
    assert shown["left_out"]["conflicts"] == [["000", "size"], ["001", "size"]]


def test_keys_that_match_nothing_or_more_than_one_row_are_listed_and_left_out(scene, capsys):
    scene.table([1, 2, 3])
    with (scene.folder / "t.csv").open("a") as file:
        file.write("003,Company 4\n")
    assert scene("run", "-q") == 0
    scene.truth(right(1), right(2), right(2), right(3), right(77))
    left_out = scene.eval(capsys)["left_out"]
    assert left_out["duplicates"] == ["002"]
    assert left_out["ambiguous"] == ["003"]
    assert left_out["unmatched"] == ["077"]


def test_rows_whose_labels_are_left_out_are_not_requested(scene, capsys):
    scene.table([1, 2, 3])
    with (scene.folder / "t.csv").open("a") as file:
        file.write("003,Company 4\n005,Company 1\n")
    scene.truth(right(1), right(2), right(2), right(3), right(5, size=1))
    shown = scene.eval(capsys, "--processors", "lite")
    assert (shown["settings"][0]["rows"], shown["settings"][0]["cost_usd"]) == (1, 0.005)
    with closing(open_ledger(scene.folder / ".rowcite" / "e", writing=False)) as ledger:
        assert ledger.spent() / MICRO == 0.005


@pytest.mark.parametrize("rows", [[{"id": "777", "city": "Oslo"}], [{"id": "001", "city": ""}]])
def test_a_truth_without_a_label_for_a_row_ends_with_2(scene, capsys, rows):
    scene.truth(*rows)
    assert scene("eval", "--truth", str(scene.folder / "truth.csv"), "--key", "id", "--target", "0.9") == 2
    assert ("column id has 777" if rows[0]["city"] else "has no labels") in capsys.readouterr().err


def test_a_processor_without_a_known_price_is_refused(scene, capsys):
    """No budget would stop what costs nothing by the price list."""
    scene.truth(right(1))
    truth = ["--truth", str(scene.folder / "truth.csv"), "--key", "id"]
    assert scene("eval", *truth, "--processors", "lite,cor") == 2
    assert "no price is known for `cor` (did you mean `core`?)" in capsys.readouterr().err
    assert scene.eval(capsys)["settings"][0]["rows"] == 0


def test_a_spec_without_a_usable_label_has_no_policy(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth({"id": "001", "size": "many"})
    assert scene.eval(capsys, "--target", "0.9")["choice"] is None


def test_few_labels_are_said_with_how_many_more_would_halve_the_interval(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth(*(right(number, city="") for number in range(18)))
    truth = ["--truth", str(scene.folder / "truth.csv"), "--key", "id"]
    assert scene("eval", *truth) == 0
    assert "halve the interval of" not in capsys.readouterr().out
    scene.truth(*(right(number, size=99 if number < 3 else number) for number in range(9)))
    assert scene("eval", *truth) == 0
    assert "would halve the interval of: size 27" in capsys.readouterr().out
    assert result(scene.eval(capsys), "size")["labels_to_halve"] == 27


def test_keys_match_whatever_type_each_table_gives_them(scene, capsys):
    rows = [{"id": number, "name": f"Company {number}"} for number in range(3)]
    pl.DataFrame(rows).write_csv(scene.folder / "t.csv")
    assert scene("run", "-q") == 0
    truth = scene.folder / "truth.parquet"
    for kind in (pl.Float64, pl.Int16, pl.String):
        pl.DataFrame({"id": [0, 1, 2], "city": ["Oslo"] * 3}).with_columns(
            pl.col("id").cast(kind)
        ).write_parquet(truth)
        capsys.readouterr()
        assert scene("eval", "--truth", str(truth), "--key", "id", "--json") == 0
        assert counts(json.loads(capsys.readouterr().out), "city")[:2] == (3, 3)


def test_a_field_is_compared_as_the_spec_says(scene, capsys):
    scene.spec(eval={"size": {"compare": "number", "tolerance": "10%"}, "city": "exact"})
    assert scene("run", "-q") == 0
    scene.truth(right(10, size=11, city="oslo"))
    shown = scene.eval(capsys)
    assert counts(shown, "size")[:3] == (1, 1, 0)
    assert counts(shown, "city")[:3] == (1, 0, 1)


def test_decisions_of_people_are_not_judged(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth(right(1, city="Bergen"))
    decisions = scene.folder / "decisions.csv"
    assert scene("review", "--export", str(decisions)) == 0
    assert counts(scene.eval(capsys), "city")[:3] == (1, 0, 1)


# --- processors and policies -----------------------------------------------------------------------------


def test_processors_are_asked_for_labelled_rows_only_and_once(scene, capsys):
    scene.truth(*(right(number) for number in range(5)))
    shown = scene.eval(capsys, "--processors", "lite,pro")
    assert {item["processor"]: item["rows"] for item in shown["settings"]} == {"lite": 5, "pro": 5}
    costs = {item["processor"]: item["cost_usd"] for item in shown["settings"]}
    assert costs == {name: pytest.approx(5 * PROCESSORS[name].price / MICRO) for name in ("lite", "pro")}
    assert counts(shown, "size", "lite")[:3] == (5, 4, 1)
    assert counts(shown, "size", "pro")[:3] == (5, 5, 0)
    scene.eval(capsys, "--processors", "lite,pro", "--max-cost", "0")


def test_the_progress_of_several_processors_is_one(scene, registry):
    """The total is known from the beginning, and the spend is that of all runs."""
    scene.truth(*(right(number) for number in range(5)))
    prepared = prepare(scene.folder / "spec.yaml", Overrides(base_url=registry), writes=None)
    truth = str(scene.folder / "truth.csv")
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        made = evaluator(prepared.job, ledger, truth, key="id", none_marker="(none)", target=None)
    jobs = [made.job_of(name) for name in ("lite", "pro")]
    watched = Watched()
    spent = request_answers(prepared, jobs, watched, lambda _, __: True)
    assert (watched.begun, watched.done, watched.ends) == ([10], 10, 1)
    assert watched.spent == spent.cost == 5 * (PROCESSORS["lite"].price + PROCESSORS["pro"].price)


class Watched(Silent):
    """Keeps what a run reports."""

    def __init__(self):
        self.begun, self.done, self.spent, self.ends = [], 0, 0, 0

    def begin(self, tasks, answered, active=0, seconds=None):
        self.begun.append(tasks)

    def submitted(self, tasks, spent):
        self.spent = spent

    def ended(self, completed, failed):
        self.done += completed + failed

    def end(self):
        self.ends += 1


def test_over_budget_no_processor_is_asked(scene, capsys):
    scene.truth(*(right(number) for number in range(5)))
    assert scene.eval_text("--processors", "lite,pro", "--max-cost", "0.1") == 6
    assert "Nothing was submitted" in capsys.readouterr().err
    assert scene.eval(capsys)["settings"][0]["rows"] == 0


# --- the sample to label ----------------------------------------------------------------------------------


def test_a_drawn_sample_has_its_strata_and_is_evaluated_by_their_size(scene, capsys):
    scene.spec(accept={"required": ["size"]})
    scene.table(range(40))
    assert scene("run", "-q") == 0
    drawn = scene.folder / "label.csv"
    assert scene("eval", "--draw", "12", "--key", "id", "-o", str(drawn)) == 0
    with drawn.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {row["rowcite_stratum"]: row["rowcite_stratum_rows"] for row in rows} == {
        "completed medium": "36",
        "rejected medium": "4",
    }
    assert all(row["size"] == row["city"] == "" for row in rows)
    assert sum(row["rowcite_stratum"] == "rejected medium" for row in rows) == 2
    for row in rows:  # every answer of the rare stratum is wrong
        row["city"] = "Oslo" if row["rowcite_stratum"] == "completed medium" else "Bergen"
    scene.truth(*rows)
    city = result(scene.eval(capsys), "city")
    assert (city["right"], city["wrong"]) == (10, 2)
    assert city["precision"]["value"] == pytest.approx(36 / 40)


def test_rows_whose_key_other_rows_have_are_not_drawn(scene, capsys):
    scene.table([1, 2])
    with (scene.folder / "t.csv").open("a") as file:
        file.write("002,Company 3\n")
    assert scene("run", "-q") == 0
    drawn = scene.folder / "label.csv"
    assert scene("eval", "--draw", "3", "--key", "id", "-o", str(drawn)) == 0
    assert "2 tasks not drawn: other rows have the same id" in capsys.readouterr().err
    with drawn.open(newline="") as file:
        assert [(row["id"], row["rowcite_stratum_rows"]) for row in csv.DictReader(file)] == [("001", "3")]
    (scene.folder / "t.csv").write_text("id,name\n1,Company 1\n1,Company 2\n")
    assert scene("eval", "--draw", "3", "--key", "id", "-o", str(scene.folder / "other.csv")) == 2
    assert "Give a column that identifies a row" in capsys.readouterr().err


def test_a_field_whose_name_is_a_formula_is_no_formula_in_a_drawn_sample_and_is_read_from_it(scene, capsys):
    scene.spec(
        task={"processor": "core", "inputs": {"company": {"column": "name"}}, "outputs": {"=size": "integer"}}
    )
    assert scene("run", "-q") == 0
    drawn = scene.folder / "truth.csv"
    assert scene("eval", "--draw", "5", "--key", "id", "-o", str(drawn)) == 0
    header, *rows = drawn.read_text().splitlines()
    assert header.split(",")[2] == "'=size"
    labels = [f"{row.split(',')[0]},{int(row.split(',')[0])}" for row in rows]
    drawn.write_text("\n".join(["id,'=size", *labels]))
    assert counts(scene.eval(capsys), "=size")[0] == len(rows)


def test_two_columns_with_labels_of_one_field_are_rejected(scene, capsys):
    scene.spec(columns={"prefix": "ai_"})
    scene.truth({"id": "001", "ai_size": 1, "size": 2})
    assert scene("eval", "--truth", str(scene.folder / "truth.csv"), "--key", "id") == 2
    assert "the columns 'ai_size', 'size' have labels of the same field" in capsys.readouterr().err


def test_a_sample_is_the_same_for_one_seed_and_never_overwrites_labels(scene, capsys):
    assert scene("run", "-q") == 0
    files = [scene.folder / f"{number}.csv" for number in range(3)]
    for file, seed in zip(files, ("1", "1", "2"), strict=True):
        assert scene("eval", "--draw", "5", "--key", "id", "--seed", seed, "-o", str(file)) == 0
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()
    assert scene("eval", "--draw", "5", "--key", "id", "-o", str(files[0])) == 2
    assert "labels may be in it" in capsys.readouterr().err


# --- what is shown ---------------------------------------------------------------------------------------


def test_wrong_pairs_are_listed_with_their_evidence(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth(right(3, city="Bergen"), right(4))
    shown = scene.eval(capsys, "--show", "wrong")
    (pair,) = shown["pairs"]
    assert (pair["key"], pair["row"], pair["field"]) == ("003", 4, "city")
    assert (pair["label"], pair["found"], pair["urls"]) == ("Bergen", "Oslo", ["https://a.example/"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "give --truth TABLE, or --draw N"),
        (("--truth", "no.csv"), "error: --truth: no.csv: no such file\n"),
        (("--truth", "reviewed", "--drawn", "no.csv"), "error: --drawn: no.csv: no such file\n"),
        (("--truth", "t.csv"), "no column is a field of the spec"),
        (("--draw", "5"), "--draw needs --output"),
        (("--truth", "t.csv", "--target", "95"), "between 0 and 1"),
        (("--truth", "t.csv", "--target", "x%"), "between 0 and 1"),
    ],
)
def test_wrong_flags_end_with_2_and_the_reason(scene, capsys, monkeypatch, flags, message):
    monkeypatch.chdir(scene.folder)
    assert scene("eval", "--key", "id", *flags) == 2
    assert message in capsys.readouterr().err


def test_a_field_of_eval_that_is_no_field_of_the_spec_is_rejected(scene, capsys):
    scene.spec(eval={"sizes": "number"})
    assert scene("check") == 2
    assert "did you mean `size`" in capsys.readouterr().err
