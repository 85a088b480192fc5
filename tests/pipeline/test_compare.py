"""`rowcite compare` asks two processors about one sample and shows where they disagree."""

import json

import polars as pl
import pytest

from rowcite.cli import main
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from support import write_spec


class Registry:
    """`lite` finds no size, and another city than `core` for every fourth company. `pro` finds another size each time."""

    def __init__(self):
        self.answers = 0

    def citation(self, processor):
        return Citation(f"https://{processor}.example/", None, (f"{processor} says so.",))

    def research(self, question):
        number, lite = int(question.input["company"].removeprefix("Company ")), question.processor == "lite"
        content = {"size": None if lite else number, "city": "Bergen" if lite and number % 4 == 0 else "OSLO"}
        if question.processor == "pro":
            self.answers += 1
            content["size"] = self.answers
        if not lite:
            content["city"] = "Oslo"
        basis = tuple(
            FieldBasis(name, "So.", (self.citation(question.processor),), "high") for name in content
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

        run.other = lambda *args: main([*args, str(spec), "--base-url", url])
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
        "excerpts": ["lite says so."],
        "reasoning": "So.",
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
    assert "core fills 40 cells more than lite for $0.80 more, $0.0200 each" in text
    assert '"core says so."' in text
    assert "30 more: --all lists them" in text


def test_over_budget_nothing_is_sent(compare):
    assert "Nothing was submitted" in compare("--processors", "lite,core", "--max-cost", "0.1", code=6)


@pytest.mark.parametrize(
    "flags", [("--processors", "lite"), (), ("--repeat", "2", "--processors", "lite,core")]
)
def test_two_answers_need_two_processors_or_one_that_is_repeated(compare, flags):
    assert compare(*flags, code=2).count("two names") == 1


def test_one_processor_is_asked_twice_and_its_answers_may_differ(compare):
    found = compare("--repeat", "2", "--processors", "pro", "--sample", "10", "--json")
    assert (found["processors"], found["rows"], len(compare.created())) == (["pro", "pro again"], 10, 20)
    size, city = found["fields"]
    assert (size["agree"]["value"], city["agree"]["value"]) == (0.0, 1.0)
    assert compare("--repeat", "2", "--processors", "pro", "--sample", "10", "--json") == found
    assert len(compare.created()) == 20


def test_the_second_answers_are_never_used_for_the_table(compare, tmp_path, capsys):
    found = compare("--repeat", "2", "--processors", "pro", "--sample", "40", "--json")
    first = {item["row"]: item["first"]["value"] for item in found["disagreements"]}
    table = tmp_path / "out.jsonl"
    assert compare.other("plan", "--processor", "pro", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["answered"], plan["stored_for_other_questions"]) == (40, 0)
    assert compare.other("run", "--processor", "pro", "-q", "-o", str(table)) == 0
    assert len(compare.created()) == 80
    assert [json.loads(line)["size"] for line in table.read_text().splitlines()] == [
        first[row] for row in range(1, 41)
    ]


def test_a_stored_answer_of_the_table_is_the_first_of_two(compare, tmp_path):
    assert compare.other("run", "-q", "-o", str(tmp_path / "out.jsonl")) == 0
    assert compare("--repeat", "2", "--sample", "5", "--json")["cost_usd"] == [pytest.approx(0.125)] * 2
    assert len(compare.created()) == 45
