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
    if not verdict.found:
        return NOT_FOUND, FieldBasis("output", verdict.reasoning, (), "low")
    text = ", ".join(verdict.value) if isinstance(verdict.value, list) else _plain(verdict.value)
    return text, FieldBasis("output", verdict.reasoning, verdict.citations, verdict.confidence)


def _target_of_description(description: str) -> OutputField:
    """Return the field that a description means: "The founding year" is a year, "Its main products" a list."""
    folded = fold(description)
    concept = concept_of_field("", folded)
    if concept == "employees" or (concept == "founded" and "date" not in folded):
        return OutputField("output", folded, description, "integer", nullable=True, concept=concept)
    if concept == "public":
        return OutputField("output", folded, description, "boolean", nullable=True, concept=concept)
    if concept and BY_NAME[concept].many:
        item = OutputField("output", folded, "", "string", nullable=False)
        return OutputField("output", folded, description, "array", nullable=True, concept=concept, item=item)
    return OutputField("output", folded, description, "string", nullable=True, concept=concept)


def _plain(value: Any) -> str:
    return ("Yes" if value else "No") if isinstance(value, bool) else str(value)


def _passage(description: str, reading: Reading) -> Verdict | None:
    """Return the sentence about the entity with the most of the description's words, if it has enough of them."""
    names = reading.dossier.entity_names
    requested = set(content_words(description)) - {
        word for name in names.names for word in content_words(name)
    }
    best: tuple[float, Sentence, DocumentMatch] | None = None
    for match in reading.matches if requested else ():
        for sentence in match.document.sentences:
            share = len(requested & set(content_words(sentence.text))) / len(requested)
            if sentence.aside or share < _ENOUGH or (best and share <= best[0]):
                continue
            if match_fact(_fact_of(sentence), match.document, match.role, names):
                best = share, sentence, match
    return None if best is None else _verdict_of(*best)


def _fact_of(sentence: Sentence) -> Fact:
    """Return a sentence as a fact whose whole text is the statement."""
    text = sentence.text
    return Fact(
        "", "", text, Directness.SENTENCE, lead="", tail=text, heading=sentence.heading, block=sentence.block
    )


def _verdict_of(share: float, sentence: Sentence, match: DocumentMatch) -> Verdict:
    document = match.document
    confidence: Confidence = "medium" if share == 1 and match.role.own else "low"
    reasoning = f"{document.host or document.path} has a sentence that answers in its own words; no other source was found to confirm it."
    citation = Citation(document.url, document.title or None, (sentence.text,))
    return Verdict(sentence.text, confidence, reasoning, (citation,))
