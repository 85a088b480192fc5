"""Facts that are read when they are asked for: what sentences say in the idioms of a field, or around its own words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from rowcite.local.research.bearing import Naming
from rowcite.local.research.cues import Search, search_of
from rowcite.local.research.document import Document, Fact, How, Sentence
from rowcite.local.research.dossier import Standing
from rowcite.local.research.opening import is_opening, without_brackets
from rowcite.local.research.phrases import OTHERS_HEADING
from rowcite.local.research.subject import Speaker, speaker, spoken_of
from rowcite.local.research.text import squash
from rowcite.local.research.values import read_items, read_value
from rowcite.local.research.wants import Want
from rowcite.local.research.whose import bearer, is_of_others, is_of_place
from rowcite.local.research.worded import fact_of, tells

_LONGEST = 700
_NEAR = 80  # characters before a statement that may turn it into one about something else
_LISTED = 4  # statements taken from one sentence for a list
_MOST = 12  # statements taken from one document for one field
_OLD = 8  # years
_YEAR = re.compile(r"(?<![\d,.])(?:19\d\d|20[0-3]\d)(?![\d,]\d|\d)")
_DEATH = re.compile(
    r"\b(?:died|passed away|was (?:killed|executed|assassinated))\b|\(\s*[^()]*\d{3,4}[^()]*\u2013[^()]*\d{3,4}\s*\)"
)
_LIVING = re.compile(r"\((?:[^()]*?\b)?born\b[^()]*\d{4}[^()\u2013]*\)[^.]{0,40}? is\b")


def asked_facts(want: Want, standing: Standing, naming: Naming) -> Iterator[tuple[Fact, How, float]]:
    """Yield the statements of a document that fit a field and speak of the entity: fact, how directly, how early."""
    search = search_of(want)
    if search is None:
        return
    voice = speaker(standing, naming)
    if want.relation == "deceased":
        yield from _deceased(want, standing.document, voice)
        return
    taken = 0
    first = _opening_number(standing.document)
    for number, sentence in _triggered(standing.document, search.trigger):
        if taken >= _MOST:
            return
        found = _statements(sentence, search, voice, want, opening=number == first)
        for fact in islice(found, _LISTED if want.kind == "array" else 1):
            taken += 1
            how = How.LOOSE if want.changes and _is_old(fact.as_of, standing.document) else fact.how
            yield fact, how, 1.0 if number == first else (0.97 if number < first + 20 else 0.92)


def _is_old(as_of: str, document: Document) -> bool:
    """Tell whether a figure is of a year long before the last one that its page speaks of."""
    if not as_of.isdigit():
        return False
    return int(as_of) + _OLD < max((int(year) for year in _YEAR.findall(document.text)), default=0)


def _statements(
    sentence: Sentence, search: Search, voice: Speaker, want: Want, *, opening: bool
) -> Iterator[Fact]:
    """Yield what a sentence says of the entity in a form that the field takes, the best idiom first."""
    refuses = search.relation.refuses if search.relation is not None else None
    for cue in search.cues:
        if cue.opening and not (opening and voice.profile):
            continue
        for match in _matches(cue.pattern, sentence.text, bare=opening):
            if refuses is not None and refuses.search(_around(match)):
                continue
            if not cue.opening and is_of_others(search, sentence.text[: match.start()], voice):
                continue
            spoken = "named" if cue.opening else bearer(match, sentence, voice, want, cue)
            if (
                spoken == "implied"
                and voice.place
                and want.relation == "established"
                and not is_of_place(sentence, match.start(), voice)
            ):
                spoken = None  # "the group was formed in 1989", on a page about a town
            if spoken is not None and tells(match["v"], want, voice):
                fact = fact_of(match, sentence, cue, want, voice, named=spoken == "named")
                if (read_items(fact) if want.kind == "array" else read_value(fact, want)) not in {None, ()}:
                    yield fact


def _matches(pattern: re.Pattern[str], text: str, *, bare: bool = False) -> Iterator[re.Match[str]]:
    """Yield the matches in a text, then those in the text as it would stand inside a sentence ("Born in Ulm, ...").

    `bare` tries the text without its brackets as well: openings hold many.
    """
    yield from pattern.finditer(text)
    if text[:1].isupper() and (first := pattern.match(text[:1].lower() + text[1:])):
        yield first
    if bare and "(" in text:
        yield from pattern.finditer(squash(without_brackets(text)))


def _around(match: re.Match[str]) -> str:
    """Return a match with the words of its clause around it."""
    before = match.string[max(0, match.start() - _NEAR) : match.start()]
    after = match.string[match.end() : match.end() + _NEAR // 2]
    return f"{before}{match[0]}{re.split('[,;(]', after, maxsplit=1)[0]}"


def _triggered(document: Document, trigger: re.Pattern[str]) -> Iterator[tuple[int, Sentence]]:
    """Yield the sentences that hold a trigger, with their numbers, by one pass over the document's text."""
    text, starts = document.joined
    last = -1
    low = document.lowered
    for match in trigger.finditer(text) if low is None else _lowered(trigger).finditer(low):
        number = bisect_right(starts, match.start()) - 1
        if number == last:
            continue
        last = number
        sentence = document.sentences[number]
        if (
            not sentence.aside
            and len(sentence.text) <= _LONGEST
            and not OTHERS_HEADING.search(sentence.heading)
        ):
            yield number, sentence


@lru_cache(maxsize=1024)
def _lowered(trigger: re.Pattern[str]) -> re.Pattern[str]:
    """Return a trigger for lower-case text: without regard to case a pattern of many words takes three times as long."""
    return re.compile(trigger.pattern.replace("[A-Z]", "[a-z]"))


def _opening_number(document: Document) -> int:
    return next((n for n, s in enumerate(document.sentences) if is_opening(s.text) and not s.aside), -1)


def _deceased(want: Want, document: Document, voice: Speaker) -> Iterator[tuple[Fact, How, float]]:
    """Yield yes for a person whose death is told, no for one whom the opening calls born and not dead."""
    if not voice.profile:
        return
    first = _opening_number(document)
    for number, sentence in enumerate(document.sentences):
        said = _DEATH.search(sentence.text)
        if said and (number == first or spoken_of(sentence.text, said.start(), voice, want.relation)):
            yield _flag("yes", sentence, want), How.SENTENCE, 1.0
            return
    if first >= 0 and _LIVING.search(document.sentences[first].text):
        yield _flag("no", document.sentences[first], want), How.SENTENCE, 1.0


def _flag(value: str, sentence: Sentence, want: Want) -> Fact:
    return Fact(
        want.relation,
        value,
        sentence.text,
        How.SENTENCE,
        heading=sentence.heading,
        block=sentence.block,
        sure=True,
    )
