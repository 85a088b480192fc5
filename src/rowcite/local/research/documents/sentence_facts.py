"""Split blocks into sentences, and extract the company facts that sentences state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from rowcite.local.research.documents.document import Block, Directness, Fact, Sentence
from rowcite.local.research.documents.layout_facts import is_labelled_line
from rowcite.local.research.documents.phrases import MODEL_INSTRUCTIONS, OTHERS_HEADING, PHRASES, Phrase
from rowcite.local.research.text.dates import year_mentioned
from rowcite.local.research.text.normalise import split_sentences
from rowcite.local.research.text.numbers import NUMBER

_DATED = frozenset({"employees", "revenue", "ceo", "stage", "funding_total", "hq"})
_ABOUT = re.compile(
    r"^(?:about|around|roughly|approx|circa|ca\b|some|nearly|almost|close|an est|est|over|more|just|under|at least|well|upwards|fewer|less|up to|~|≈|>)",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:had|employed|was|were|counted|numbered)\b", re.IGNORECASE
)  # "In 2010 we had 15 employees"
_TODAY = re.compile(
    rf"\b(?:today|now|currently|meanwhile),? (?:we|it|they|there) (?:are|is|number|have|has)(?: now)? (?P<v>{NUMBER})(?: of us)?(?=[.,;!]|$)",
    re.IGNORECASE,
)
_STAFF = re.compile(r"\b(?:employees?|staff|people|colleagues|workforce|of us|team)\b", re.IGNORECASE)
_LONGEST = 600
_DIGITS = frozenset("0123456789")
# A concept's patterns are slow: they are tried only on sentences with one of these lower-case substrings.
_NEEDS: dict[str, tuple[str, ...]] = {
    "employees": ("people", "staff", "employ", "worker", "team", "colleague", "person", "fte", "full-time", "payroll", "count", "workforce", "of us", "men and women", "specialists", "professionals"),
    "founded": ("found", "establish", "start", "set up", "created", "formed", "born", "launch", "incorporat", "open", "began", "begin", "commenc", "back to", "since", "inception", "est."),
    "founders": ("found", "set up", "started"),
    "ceo": ("ceo", "chief exec", "managing director", "led by", "run by", "headed by"),
    "stage": ("seed", "series", "publicly", "listed", "quoted", "public", "float", "ipo", "initial", "trad", "bootstrap", "self-f", "never", "not"),
    "public": ("privat", "family", "famil", "listed", "traded", "shares", "owned", "exchange", "delist", "withdr", "left the stock"),
    "funding_total": ("total", "altogether", "in all", "to date", "so far", "overall", "rais"),
    "revenue": ("revenue", "turnover", "sales", "turned over", "turns over", "generated", "posted", "reported"),
    "hq": ("headquarter", "based", "office", "hq", "head quarters", "operates from", "works from", "run from", "mov", "relocat", "transfer", "shifted", "home base", "seat"),
    "industry": ("field", "business", "trade", "industry", "sector", "speciali", "line of", "work", "operat", "active", "home in", "leader", "player", "company", "nutshell", "phrase", "word"),
    "products": ("product", "range", "portfolio", "offering", "service", "solution", "brand", "platform", "tools"),
    "investors": ("led by", "investors", "backed by", "funded by", "investment from", "backing from"),
    "certifications": ("iso", "soc", "b corp", "pci", "hipaa", "cyber ess", "tisax", "haccp", "fsc", "brc", "iatf", "as 9100", "as9100"),
    "email": ("@",),
}  # fmt: skip
_WITH_DIGITS = frozenset({"founded", "funding_total", "revenue"})


def sentences_of(blocks: tuple[Block, ...]) -> Iterator[Sentence]:
    """Yield the sentences of headings, paragraphs and list items, without blocks that instruct a language model."""
    for number, block in enumerate(blocks):
        if block.kind in {"row", "pair"} or MODEL_INSTRUCTIONS.search(block.text):
            continue
        for text in _running_text(block):
            yield Sentence(text, number, block.heading, block.aside)


def _running_text(block: Block) -> list[str]:
    """Return the sentences of a block, without those of its labelled lines."""
    labelled = [line for line in block.lines if is_labelled_line(line)]
    if not labelled or len(block.lines) == 1:
        return split_sentences(block.text)
    return [text for line in block.lines if line not in labelled for text in split_sentences(line)]


def sentence_facts(sentences: tuple[Sentence, ...]) -> Iterator[Fact]:
    """Yield the facts that sentences state, except beside the main text and under headings about others."""
    before: Sentence | None = None
    for sentence in sentences:
        yield from _current_head_count(before, sentence)
        before = sentence
        if sentence.aside or len(sentence.text) > _LONGEST:
            continue
        about_others = bool(OTHERS_HEADING.search(sentence.heading))
        for phrase in likely_phrases(sentence.text):
            if about_others and phrase.concept not in {"customers", "investors"}:
                continue
            match = _match(phrase, sentence.text)
            if match and not _refused(phrase, sentence.text, match):
                yield _fact(phrase, sentence, match)


def _current_head_count(before: Sentence | None, sentence: Sentence) -> Iterator[Fact]:
    """Yield the head count of "Today we are 60." after a sentence about people."""
    match = _TODAY.search(sentence.text)
    if match and before is not None and before.block == sentence.block and _STAFF.search(before.text):
        phrase = Phrase("employees", _TODAY, change=True)
        yield _fact(phrase, sentence, match)


def _match(phrase: Phrase, text: str) -> re.Match[str] | None:
    """Return the first match; for funding stages the last, which is the latest round."""
    if phrase.concept != "stage":
        return phrase.pattern.search(text)
    return next(reversed(list(phrase.pattern.finditer(text))), None)


def _refused(phrase: Phrase, text: str, match: re.Match[str]) -> bool:
    """Return True if the words around a match change its meaning."""
    inside = text[max(0, match.start() - 80) : match.start("v")]
    if phrase.before and (
        phrase.before.search(text[max(0, match.start() - 80) : match.start()]) or phrase.before.search(inside)
    ):
        return True
    return bool(phrase.after and phrase.after.search(text[match.end() : match.end() + 60]))


def _fact(phrase: Phrase, sentence: Sentence, match: re.Match[str]) -> Fact:
    value = match["v"].strip(" ,.")
    year = year_mentioned(sentence.text) if phrase.concept in _DATED else ""
    past = phrase.concept == "employees" and bool(year and _PAST.search(match[0]))
    passing = phrase.passing or past or bool(_ABOUT.match(value))
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


def _groups() -> tuple[tuple[str, tuple[str, ...], tuple[tuple[int, Phrase], ...]], ...]:
    """Return the phrases by concept, each with its position in the table."""
    ordered = sorted(enumerate(PHRASES), key=lambda pair: pair[1].concept)
    return tuple(
        (concept, _NEEDS.get(concept, ("",)), tuple(group))
        for concept, group in groupby(ordered, key=lambda pair: pair[1].concept)
    )


_PHRASES_BY_CONCEPT = _groups()


def likely_phrases(text: str) -> list[Phrase]:
    """Return the phrases that may match a sentence, in the order of the table."""
    low = text.lower()
    digits = not _DIGITS.isdisjoint(low)
    found: list[tuple[int, Phrase]] = []
    for concept, needs, phrases in _PHRASES_BY_CONCEPT:
        if concept in _WITH_DIGITS and not digits:
            continue
        for need in needs:
            if need in low:
                found += phrases
                break
    return [phrase for _, phrase in sorted(found, key=lambda pair: pair[0])]
