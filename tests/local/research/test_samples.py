"""The sample pages, measured against the truth file."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from rowcite.local.research.corpus import Corpus, open_corpus
from rowcite.local.research.question import Question
from rowcite.local.research.text.normalise import fold

ROOT = Path(__file__).parents[3]
FIELDS = {
    "industry": {"type": ["string", "null"], "description": "Main industry"},
    "employee_count": {"type": ["integer", "null"], "description": "Latest head count"},
    "founded_year": {"type": ["integer", "null"], "description": "Year of foundation"},
    "headquarters": {"type": ["string", "null"], "description": "City and country of the head office"},
    "funding_stage": {
        "enum": ["Seed", "Series A", "Series B+", "Public", None],
        "description": "Latest stage",
    },
    "key_products": {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "description": "Up to five products",
    },
    "publicly_traded": {"type": ["boolean", "null"], "description": "Whether its shares are publicly traded"},
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return open_corpus(ROOT / "sample_data" / "web")


@pytest.fixture(scope="module")
def tally(corpus) -> Counter:
    """Return the counts of answers by (confidence, right), and of stated values not found as "missed"."""
    counts: Counter = Counter()
    for row in csv.DictReader(
        (ROOT / "tests/data/truth/accounts.csv").read_text(encoding="utf-8").splitlines()
    ):
        question = Question(
            {"company_name": row["name"], "website": row["domain"]},
            {"type": "json", "json_schema": {"type": "object", "properties": FIELDS}},
        )
        finding = corpus.research(question)
        for basis in finding.basis:
            found, truth = finding.content[basis.field], row[basis.field].replace("Unknown", "")
            if found in (None, []):
                counts["missed"] += bool(truth)
            else:
                counts[
                    basis.confidence,
                    folded(found) == folded(truth.split(";") if isinstance(found, list) else truth),
                ] += 1
    return counts


def folded(value) -> object:
    return {fold(str(item)) for item in value} if isinstance(value, list) else fold(str(value))


@pytest.mark.parametrize(("confidence", "share"), [("high", 0.95), ("medium", 0.75)])
def test_values_of_each_confidence_are_right_often_enough(tally, confidence, share):
    right, wrong = tally[confidence, True], tally[confidence, False]
    assert right >= 50
    assert right / (right + wrong) >= share


def test_most_stated_values_are_found(tally):
    right = sum(count for key, count in tally.items() if key != "missed" and key[1])
    assert right / (right + tally["missed"]) >= 0.7
