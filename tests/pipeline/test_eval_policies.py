"""`rowcite eval --target`: the cheapest policy, certified or not, and the spec that makes it."""

import csv
from contextlib import closing
from xml.etree import ElementTree as ET

import pytest
import yaml

from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.evaluation.policies import Policy
from rowcite.ledger import open_ledger
from rowcite.library import evaluate
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from support.labels import Scene, right


class Chiefs:
    """Only `pro` is sure of every ceo: of `core` every fourth is low and wrong. Every fourth city is low and wrong for both."""

    def research(self, question):
        number, is_pro = int(question.input["company"].removeprefix("Company ")), question.processor == "pro"
        unsure = number % 4 == 0 and not is_pro
        content = {
            "ceo": "Nobody" if unsure else f"Chief {number}",
            "city": "Rome" if number % 4 == 1 else "Oslo",
        }
        sure = {"ceo": "low" if unsure else "high", "city": "low" if number % 4 == 1 else "medium"}
        fields = question.output["json_schema"]["properties"]
        basis = tuple(
            FieldBasis(name, "So.", (Citation("https://a.example/"),), sure[name]) for name in fields
        )
        return Finding("json", {name: content[name] for name in fields}, basis, None, 1, ())


@pytest.fixture(scope="module")
def chiefs_url():
    with embedded(create_app(Chiefs(), ServerSettings())) as url:
        yield url


@pytest.fixture
def scene(tmp_path, registry):
    return Scene(tmp_path, registry)


@pytest.fixture
def chiefs(tmp_path, chiefs_url):
    made = Scene(tmp_path, chiefs_url)
    made.spec(task=CHIEFS)
    made.table(range(120))
    made.truth(*({"id": f"{n:03}", "ceo": f"Chief {n}", "city": "Oslo"} for n in range(120)))
    return made


CHIEFS = {
    "processor": "core",
    "inputs": {"company": {"column": "name"}},
    "outputs": {"ceo": "string", "city": "string"},
}


def test_a_field_may_be_retried_alone_on_a_dearer_processor(chiefs, capsys):
    shown = chiefs.eval(capsys, "--processors", "core,pro", "--target", "0.9")
    assert [
        (item["policy"], item["certified"], item["found"], round(item["cost_per_row_usd"] * 120, 3))
        for item in shown["policies"]
    ] == [
        ("core", False, 0.75, 3.0),
        ("core at medium", True, 0.75, 3.0),
        ("core at medium, pro for `ceo`", True, 0.875, 6.0),
    ]
    assert (shown["choice"]["policy"], shown["choice"]["certified"]) == ("core at medium", True)


def test_the_policies_are_drawn_with_the_chosen_one_marked(chiefs, capsys):
    file = chiefs.folder / "front.svg"
    chiefs.eval(capsys, "--processors", "core,pro", "--target", "0.9", "--picture", str(file))
    texts = [item.text for item in ET.fromstring(file.read_text()).iter() if item.text]
    assert "core at medium (chosen)" in texts
    assert "core at medium, pro for `ceo`" in texts
    assert chiefs("eval", "--truth", "t.csv", "--key", "id", "--picture", str(file)) == 2
    assert "--picture needs --target" in capsys.readouterr().err


def test_the_pasted_block_does_what_was_simulated(chiefs, capsys):
    """A run of the spec with the block gives the cells and costs what the simulation says."""
    shown = chiefs.eval(capsys, "--processors", "core,pro", "--target", "0.9")
    chosen = shown["policies"][-1]
    assert chosen["retry_for"] == "ceo"
    block = yaml.safe_load(chosen["yaml"])
    chiefs.spec(**{**block, "task": {**CHIEFS, **block["task"]}, "name": "real"})
    assert chiefs("check") == 0
    assert chiefs("run", "-q", "--yes") == 0
    with closing(open_ledger(chiefs.folder / ".rowcite" / "real", writing=False)) as ledger:
        assert ledger.spent() / MICRO == pytest.approx(chosen["cost_per_row_usd"] * 120)
    fields = chiefs.eval(capsys)["fields"]
    assert [(item["field"], item["right"], item["wrong"], item["missed"]) for item in fields] == [
        ("ceo", 120, 0, 0),
        ("city", 90, 0, 30),
    ]
    assert chosen["found"] == 210 / 240


def test_the_cheapest_policy_for_a_target_is_certified_on_the_other_half(scene, capsys):
    scene.table(range(100))
    scene.truth(*(right(number) for number in range(100)))
    shown = scene.eval(capsys, "--processors", "lite,core,pro", "--target", "0.9")
    assert shown["choice"]["certified"] is True
    assert shown["choice"]["ladder"] == ["core"]
    assert shown["choice"]["cost_per_row_usd"] == pytest.approx(0.025)
    assert [item["ladder"] for item in shown["policies"]] == [["lite"], ["core"]]


def test_a_simulated_ladder_costs_what_its_steps_cost(scene, capsys):
    scene.table(range(20))
    scene.truth(*(right(number) for number in range(20)))
    assert scene.eval_text("--processors", "lite,core", "--target", "0.5") == 0
    out = capsys.readouterr().out
    assert "lite" in out
    found = evaluate(
        scene.folder / "t.csv", scene.folder / "spec.yaml", scene.folder / "truth.csv", key="id",
        processors=["lite", "core"], target=0.5, base_url=scene.url,
    )  # fmt: skip
    policies = found.policies_frame()
    assert policies.height == len(found.candidates) > 9
    assert policies["chosen"].sum() == 1
    by_policy = {item.policy: item for item in found.candidates}
    ladder = by_policy[Policy(("lite", "core"), "medium")]
    assert ladder.whole.cost == 20 * (PROCESSORS["lite"].price + PROCESSORS["core"].price)
    assert by_policy[Policy(("lite",), None)].whole.cost == 20 * PROCESSORS["lite"].price


def test_too_few_labels_certify_nothing_and_say_how_many_would(scene, capsys):
    scene.truth(*(right(number) for number in range(6)))
    shown = scene.eval(capsys, "--processors", "core", "--target", "0.95")
    assert shown["choice"]["certified"] is False
    assert shown["choice"]["labels_needed"] > 80


def test_the_price_of_a_ladder_is_that_of_the_table_and_not_of_the_sample(scene, capsys):
    """A tenth of the rows is retried, but a sixth of the sample: a rare stratum has at least two rows."""
    scene.spec(accept={"required": ["size"]})
    scene.table(range(40))
    assert scene("run", "-q") == 0
    drawn = scene.folder / "label.csv"
    assert scene("eval", "--draw", "12", "--key", "id", "-o", str(drawn)) == 0
    with drawn.open(newline="") as file:
        scene.truth(*({**row, **right(int(row["id"]))} for row in csv.DictReader(file)))
    found = evaluate(
        scene.folder / "t.csv", scene.folder / "spec.yaml", scene.folder / "truth.csv", key="id",
        processors=["core", "pro"], target=0.5, base_url=scene.url,
    )  # fmt: skip
    ladder = next(item for item in found.candidates if item.policy == Policy(("core", "pro")))
    assert ladder.whole.rows == 12
    assert ladder.cost_per_row == pytest.approx((0.025 + 4 / 40 * 0.1) * MICRO)
