"""Split blocks into sentences, and extract the company facts that sentences state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from rowcite.local.research.documents.document import Block, Directness, Fact, Sentence
from rowcite.local.research.documents.layout_facts import is_labelled_line
from rowcite.local.research.documents.phrases import (
    MODEL_INSTRUCTIONS,
    NEEDS,
    OTHERS_HEADING,
    PHRASES,
    Phrase,
)
from rowcite.local.research.text.dates import year_mentioned
from rowcite.local.research.text.normalise import split_sentences
from rowcite.local.research.text.numbers import APPROXIMATELY

_DATED = frozenset({"employees", "revenue", "ceo", "stage", "funding_total", "hq"})
_ABOUT = re.compile(APPROXIMATELY, re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:had|employed|was|were|counted|numbered)\b", re.IGNORECASE
)  # "In 2010 we had 15 employees"
_NEEDS = [(concept, re.compile(words)) for concept, words in NEEDS.items()]
_LONGEST = 600


def sentences_of(blocks: tuple[Block, ...]) -> Iterator[Sentence]:
    """Yield the sentences of headings, paragraphs and list items, without blocks that instruct a language model."""
    for number, block in enumerate(blocks):
        if block.kind in {"row", "pair"} or MODEL_INSTRUCTIONS.search(block.text):
            continue
        lines = block.lines if len(block.lines) > 1 else ()
        parts = [" ".join(run) for labelled, run in groupby(lines, is_labelled_line) if not labelled]
        for part in parts if lines else [block.text]:
            for text in split_sentences(part):
                yield Sentence(text, number, block.heading)


def sentence_facts(sentences: tuple[Sentence, ...]) -> Iterator[Fact]:
    """Yield the facts that sentences state, except under headings about others."""
    for sentence in sentences:
        if len(sentence.text) > _LONGEST:
            continue
        low = sentence.text.lower()
        likely = {concept for concept, needs in _NEEDS if needs.search(low)}
        if likely and OTHERS_HEADING.search(sentence.heading):
            likely &= {"investors"}
        for phrase in PHRASES if likely else ():
            if phrase.concept not in likely:
                continue
            match = _match(phrase, sentence.text)
            if match and not _refused(phrase, sentence.text, match):
                yield _fact(phrase, sentence, match)


def _match(phrase: Phrase, text: str) -> re.Match[str] | None:
    """Return the first match; for funding stages the last, which is the latest round."""
    if phrase.concept != "stage":
        return phrase.pattern.search(text)
    return next(reversed(list(phrase.pattern.finditer(text))), None)


def _refused(phrase: Phrase, text: str, match: re.Match[str]) -> bool:
    """Return True if a match is about an earlier year, or the words around it change its meaning."""
    if phrase.concept == "employees" and _PAST.search(match[0]) and year_mentioned(text):
        return True
    start = max(0, match.start() - 80)
    left = (text[start : match.start()], text[start : match.start("v")])
    excluded = any(map(phrase.before.search, left))
    return excluded or bool(phrase.after.search(text[match.end() : match.end() + 60]))


def _fact(phrase: Phrase, sentence: Sentence, match: re.Match[str]) -> Fact:
    value, year = match["v"].strip(" ,."), ""
    if phrase.concept in _DATED:
        year = year_mentioned(sentence.text)
    passing = phrase.passing or bool(_ABOUT.match(value))
    return Fact(
        label=phrase.concept,
        value=value,
        excerpt=sentence.text,
        directness=Directness.PASSING if passing else Directness.SENTENCE,
        concept=phrase.concept,
        heading=sentence.heading,
        lead=sentence.text[: match.start()],
        tail=sentence.text[match.start() :],
        as_of=year,
        block=sentence.block,
        change=phrase.change,
    )
