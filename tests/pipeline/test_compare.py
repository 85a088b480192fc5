"""`rowcite compare` asks two processors about one sample and shows where they disagree."""

import json

import polars as pl
import pytest

from rowcite.cli import main
from rowcite.local.research import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from support import write_spec


class Registry:
    """`lite` finds no size, and another city than `core` for every fourth company."""

    def research(self, question):
        number, lite = int(question.input["company"].removeprefix("Company ")), question.processor == "lite"
        content = {"size": None if lite else number, "city": "Bergen" if lite and number % 4 == 0 else "OSLO"}
        if not lite:
            content["city"] = "Oslo"
        basis = tuple(
            FieldBasis(name, "So.", (Citation(f"https://{question.processor}.example/"),), "high")
            for name in content
        )
        return Finding("json", content, basis, None, 1, ())


@pytest.fixture
def compare(tmp_path, capsys):
    pl.DataFrame([{"name": f"Company {number}"} for number in range(40)]).write_csv(tmp_path / "t.csv")
    spec = write_spec(
        tmp_path,
        {
            "name": "c",
            "input": {"path": "t.csv"},
            "task": {
                "processor": "core",
                "inputs": {"company": {"column": "name"}},
                "outputs": {"size": "integer", "city": "string"},
            },
        },
    )
    journal = tmp_path / "journal.jsonl"
    with embedded(create_app(Registry(), ServerSettings(journal=journal))) as url:

        def run(*flags, code=0):
            capsys.readouterr()
            assert main(["compare", str(spec), "--base-url", url, *flags]) == code
            out, err = capsys.readouterr()
            return json.loads(out) if "--json" in flags and not code else out + err

        run.created = lambda: [line for line in journal.read_text().splitlines() if "input_sha256" in line]
        yield run


def test_agreement_and_what_only_one_filled_are_counted_by_field(compare):
    found = compare("--processors", "lite,core", "--sample", "100", "--json")
    assert (found["rows"], found["cost_usd"]) == (40, [pytest.approx(0.2), pytest.approx(1.0)])
    size, city = found["fields"]
    assert (size["both"], size["only_first"], size["only_second"], size["neither"]) == (0, 0, 40, 0)
    assert (city["both"], city["agree"]["value"]) == (40, 0.75)
    differing = [item for item in found["disagreements"] if item["field"] == "city"]
    assert [item["row"] for item in differing] == list(range(1, 41, 4))
    assert differing[0]["first"] == {
        "value": "Bergen",
        "confidence": "high",
        "urls": ["https://lite.example/"],
    }
    assert differing[0]["second"]["value"] == "Oslo"


def test_a_sample_is_drawn_by_its_seed_and_stored_answers_are_used_again(compare):
    first = compare("--processors", "lite,core", "--sample", "8", "--json")
    assert first["rows"] == 8
    assert len(compare.created()) == 16
    assert compare("--processors", "lite,core", "--sample", "8", "--json") == first
    assert len(compare.created()) == 16
    other = compare("--processors", "lite,core", "--sample", "8", "--seed", "2", "--json")
    assert other["disagreements"] != first["disagreements"]


def test_a_sample_is_of_the_rows_within_the_limit(compare):
    found = compare("--processors", "lite,core", "--limit", "5", "--json")
    assert found["rows"] == 5


def test_what_the_dearer_processor_adds_is_said_with_its_price(compare):
    text = compare("--processors", "lite,core", "--sample", "100")
    assert "core fills 40 cells more than lite for $0.80 more" in text
    assert "30 more: --all lists them" in text


def test_over_budget_nothing_is_sent(compare):
    assert "Nothing was submitted" in compare("--processors", "lite,core", "--max-cost", "0.1", code=6)
    assert compare("--processors", "lite", code=2).count("two names") == 1
