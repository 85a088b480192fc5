"""Answer in one short text: a value if the description names a kind of fact, else a matching sentence."""

from __future__ import annotations

from typing import Any

from rowcite.local.research.answers.decide import Confidence, Verdict
from rowcite.local.research.answers.json_answer import Reading, find_value
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.documents.document import Directness, Fact, Sentence
from rowcite.local.research.documents.labels import BY_NAME, concept_of_field
from rowcite.local.research.subject.attribution import match_fact
from rowcite.local.research.subject.entity import DocumentMatch
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis

NOT_FOUND = "Not found in the documents."
_ENOUGH = 0.7  # share of the description's words that a sentence must contain


def answer(description: str, reading: Reading) -> tuple[str, FieldBasis]:
    """Return the answer and its basis, field "output"."""
    target = _target_of_description(description)
    verdict = find_value(target, reading)
    if not verdict.found and not target.concept:
        verdict = _passage(description, reading) or verdict
    return _plain(verdict.value) if verdict.found else NOT_FOUND, verdict.basis("output")


def _target_of_description(description: str) -> OutputField:
    """Return the field that a description means: "The founding year" is a year, "Its main products" a list."""
    words = fold(description)
    concept = concept_of_field("", words)
    kind, item = "string", None
    if concept == "employees" or (concept == "founded" and "date" not in words):
        kind = "integer"
    elif concept == "public":
        kind = "boolean"
    elif concept and BY_NAME[concept].many:
        kind, item = "array", OutputField("output", words, "", "string", nullable=False)
    return OutputField("output", words, description, kind, nullable=True, concept=concept, item=item)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _passage(description: str, reading: Reading) -> Verdict | None:
    """Return the sentence about the entity with the most of the description's words, if it has enough of them."""
    names = reading.dossier.entity_names
    requested = set(content_words(description)) - set(content_words(" ".join(names.names)))
    best: tuple[float, Sentence, DocumentMatch] | None = None
    for match in reading.matches if requested else ():
        for sentence in match.document.sentences:
            share = len(requested & set(content_words(sentence.text))) / len(requested)
            if sentence.aside or share < _ENOUGH or (best and share <= best[0]):
                continue
            text, heading = sentence.text, sentence.heading
            fact = Fact(
                "", "", text, Directness.SENTENCE, lead="", tail=text, heading=heading, block=sentence.block
            )
            if match_fact(fact, match.document, match.role, names):
                best = share, sentence, match
    return None if best is None else _verdict_of(*best)


def _verdict_of(share: float, sentence: Sentence, match: DocumentMatch) -> Verdict:
    confidence: Confidence = "medium" if share == 1 and match.role.own else "low"
    reasoning = f"{match.document.origin} has a sentence that answers in its own words; no other source was found to confirm it."
    citation = Citation(match.document.url, match.document.title or None, (sentence.text,))
    return Verdict(sentence.text, confidence, reasoning, (citation,))
