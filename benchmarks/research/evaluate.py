"""Measure how often the research engine is right at each confidence, and how much it finds of what documents state.

python benchmarks/research/evaluate.py     prints the tables and writes results.md; those of public repositories need MIRROR,
a folder with the Git directory of each repository of labels.yaml at owner+name/repo
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from compare import Truth, is_right
from mirror import Labelled, ScriptedReader, judged, labelled_documents, write_corpus

from rowcite.local.research.corpus import Corpus, open_corpus
from rowcite.local.research.language_model.reader import ModelResearcher
from rowcite.local.research.question import Question

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results.md"
LEVELS = ("high", "medium", "low")
FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "industry": ("text", {"type": ["string", "null"], "description": "Main industry"}),
    "employee_count": ("integer", {"type": ["integer", "null"], "description": "Latest head count"}),
    "founded_year": ("year", {"type": ["integer", "null"], "description": "Year of foundation"}),
    "headquarters": (
        "place",
        {"type": ["string", "null"], "description": "City and country of the head office"},
    ),
    "funding_stage": (
        "enum",
        {"enum": ["Seed", "Series A", "Series B+", "Public", None], "description": "Latest stage"},
    ),
    "key_products": (
        "list",
        {"type": ["array", "null"], "items": {"type": "string"}, "description": "Up to five products"},
    ),
    "publicly_traded": (
        "boolean",
        {"type": ["boolean", "null"], "description": "Whether its shares are publicly traded"},
    ),
}


@dataclass
class Tally:
    """Counts of answers by (confidence, right), of true values, and of true values found."""

    answers: Counter[tuple[str, bool]] = field(default_factory=Counter)
    stated: int = 0
    found: int = 0

    def count(self, value: Any, confidence: str, truth: Truth) -> None:
        """Count the answer of one field."""
        answered = value not in (None, [])
        right = answered and is_right(value, truth)
        if answered:
            self.answers[confidence, right] += 1
        if truth.accepted:
            self.stated += 1
            self.found += right

    def add(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.answers.update(other.answers)
        self.stated += other.stated
        self.found += other.found

    def cells(self) -> list[str]:
        """Return right/given for each confidence with the lower bound, and found/stated."""
        levels = [(self.answers[level, True], self.answers[level, False]) for level in LEVELS]
        shown = [_share(right, right + wrong, bound=True) for right, wrong in levels]
        return [*shown, _share(self.found, self.stated)]


def main() -> None:
    """Evaluate, print, and write results.md."""
    started = time.monotonic()
    tallies = evaluate(open_corpus(ROOT / "sample_data" / "web"))
    text = report(tallies, time.monotonic() - started)
    if mirror := os.environ.get("MIRROR"):
        text += mirrored(Path(mirror))
        RESULTS.write_text(text, encoding="utf-8")
    else:
        text += "\nMIRROR is not set: the documents of public repositories are not measured, and results.md is not written.\n"
    print(text)


def evaluate(corpus: Corpus) -> dict[str, Tally]:
    """Return a tally for each field over the companies of the truth file."""
    tallies = {name: Tally() for name in FIELDS}
    schema = {"type": "object", "properties": {name: schema for name, (_, schema) in FIELDS.items()}}
    with (ROOT / "tests/data/truth/accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        given = {"company_name": row["name"], "website": row["domain"]}
        finding = corpus.research(Question(given, {"type": "json", "json_schema": schema}))
        assert isinstance(finding.content, dict)
        for basis in finding.basis:
            truth = _truth(FIELDS[basis.field][0], row[basis.field])
            tallies[basis.field].count(finding.content[basis.field], str(basis.confidence), truth)
    return tallies


def report(tallies: dict[str, Tally], seconds: float) -> str:
    """Return the tables as Markdown."""
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    rows = [("all fields", total), *tallies.items()]
    lines = [f"| {name} | {' | '.join(tally.cells())} |" for name, tally in rows]
    return f"""# How good the research is

Made by `python benchmarks/research/evaluate.py` in {seconds:.0f} s, on the sample pages. Cells are right/given; in brackets the
lower end of the 95% Wilson interval. The last column counts the values of the truth file that were found. The pages were looked at
while the engine was built, so the figures are an upper bound for other pages.

| field | high | medium | low | found |
| --- | --- | --- | --- | --- |
{chr(10).join(lines)}
"""


def mirrored(mirror: Path) -> str:
    """Return the tables of the documents of public repositories, with and without a model, as Markdown."""
    documents = labelled_documents(mirror)
    stated = sum(bool(truth.accepted) for document in documents for _, truth in document.facts.values())
    kinds = {document.kind for document in documents}
    text = f"""
# Documents of public repositories

{len(documents)} documents about {len(kinds)} kinds of thing, listed in labels.yaml by repository, commit and path, with {stated} labelled facts. A hash
divides them: the engine was developed on one half. The answers on the other were not read, but its totals were seen. Each question gives the name of the thing and
nothing else. One person labelled both halves before the engine was changed and then wrote its synonyms, so documents of other people may use other
words. The model is a scripted reader that knows the labels and quotes the passages it is shown, so its figures are what the
checks of quotes keep of a perfect model's answers, with the engine's answers where a passage that states the value was not shown.

"""
    with TemporaryDirectory() as folder:
        write_corpus(documents, Path(folder))
        corpus = open_corpus(folder)
        model = ModelResearcher(corpus, ScriptedReader(documents, corpus))
        for half, seen in (("the half not developed on", False), ("the half developed on", True)):
            chosen = [document for document in documents if document.seen == seen]
            for name, researcher in (("without a model", corpus), ("with the scripted reader", model)):
                text += f"## {half[0].upper()}{half[1:]}, {name}\n\n{_by_source(chosen, researcher)}\n"
    return text


def _by_source(documents: list[Labelled], researcher: Any) -> str:
    """Return the table of some documents by kind of source."""
    answers = [
        researcher.research(Question(one.given, {"type": "json", "json_schema": one.schema}))
        for one in documents
    ]
    total, tallies = Tally(), dict[str, Tally]()
    for document, _, value, confidence, truth, right in judged(documents, answers):
        for tally in (total, tallies.setdefault(document.source, Tally())):
            tally.add(
                Tally(
                    Counter({(confidence, right): 1} if value not in (None, [], "") else {}),
                    int(bool(truth.accepted)),
                    int(right),
                )
            )
    rows = [("all", total), *sorted(tallies.items())]
    lines = [f"| {name} | {' | '.join(tally.cells())} |" for name, tally in rows]
    return "\n".join(
        ["| source | high | medium | low | found |", "| --- | --- | --- | --- | --- |", *lines, ""]
    )


def wilson(right: int, total: int) -> float:
    """Return the lower end of the 95% Wilson score interval."""
    z, share = 1.96, right / total
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (centre - spread) / (1 + z * z / total)


def _truth(family: str, text: str) -> Truth:
    parts = text.split(";") if family == "list" else [text.replace("Unknown", "")]
    return Truth(family, tuple(part for part in parts if part))


def _share(right: int, total: int, *, bound: bool = False) -> str:
    if not total:
        return "-"
    lower = f" (≥ {wilson(right, total):.0%})" if bound else ""
    return f"{right}/{total} = {right / total:.0%}{lower}"


if __name__ == "__main__":
    main()
