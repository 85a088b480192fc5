"""Facts that are read when they are asked for: what sentences say in the idioms of a field, or around its own words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from rowcite.research.bearing import Naming
from rowcite.research.cues import Cue, Search, search_of
from rowcite.research.document import Document, Fact, How, Sentence
from rowcite.research.dossier import Standing
from rowcite.research.phrases import OTHERS_HEADING
from rowcite.research.relations import BY_KIND, DATED
from rowcite.research.subject import Speaker, is_opening, speaker, spoken_of
from rowcite.research.values import read_items, read_value
from rowcite.research.wants import Want
from rowcite.research.when import year_spoken_of

_LONGEST = 700
_LISTED = 4  # statements taken from one sentence for a list
_MOST = 12  # statements taken from one document for one field
_PAST = re.compile(
    r"\b(?:former(?:ly)?|until|previous(?:ly)?|then|late|ex|deposed|succeeded|ousted|acting|interim|once|first)\b|\b1[0-8]\d\d\b",
    re.IGNORECASE,
)
_DATED = re.compile(r"\b(?:1\d\d\d|20\d\d)s?\b|\bin \d{4}\b")
_UNDER = re.compile(r"\b(?:Lt\.|Lieutenant|Deputy|Vice|Assistant|Former|Acting)[ -]$", re.IGNORECASE)
_AS_OF = re.compile(r"\b[Aa]s of (?:[A-Z][a-z]+ )?\d{4}\b")
_DENIED = re.compile(r"\b(?:not|never|neither|nor|no longer)\b(?! only\b)")
_ENDED = re.compile(
    r"[^.;]{0,50}?\b(?:resigned|until|died|was succeeded|stepped down|was ousted|was overthrown|lost|fled|between|from \d{4} to|\(\d{4}\s*\u2013)"
)
_BEFORE_SUBJECT = re.compile(r"(?:with|at|covering|having|spanning|comprising|boasting)\b", re.IGNORECASE)
_THE_SAME = re.compile(r"(?:(?:it|he|she|they|we)\b|(?:the|this) [a-z]+\b(?! of ))")
# Of a life, "she" on a page about a person leaves little doubt; elsewhere only the name makes a statement sure.
_LIVES = frozenset(
    {"birth_date", "birth_place", "death_date", "death_place", "alma_mater", "spouse", "birth_name"}
)
_LIKE_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
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
            yield fact, fact.how, 1.0 if number == first else (0.97 if number < first + 20 else 0.92)


def _statements(
    sentence: Sentence, search: Search, voice: Speaker, want: Want, *, opening: bool
) -> Iterator[Fact]:
    """Yield what a sentence says of the entity in a form that the field takes, the best idiom first."""
    relation = search.relation
    if relation is not None and relation.refuses is not None and relation.refuses.search(sentence.text):
        return
    for cue in search.cues:
        if cue.opening and not (opening and voice.profile):
            continue
        for match in _matches(cue.pattern, sentence.text):
            spoken = "named" if cue.opening else _bearer(match, sentence, voice, want)
            if spoken is not None and _tells(match["v"], want, voice):
                fact = _fact(match, sentence, cue, want, spoken)
                fact = replace(fact, value=_trimmed(fact.value, voice))
                if (read_items(fact) if want.kind == "array" else read_value(fact, want)) not in {None, ()}:
                    yield fact


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield the matches in a text, then those in the text as it would stand inside a sentence ("Born in Ulm, ...")."""
    yield from pattern.finditer(text)
    yield from pattern.finditer(text[:1].lower() + text[1:])


def _bearer(match: re.Match[str], sentence: Sentence, voice: Speaker, want: Want) -> str | None:
    """Tell whom a match speaks of; "the capital of X" speaks of X."""
    holder = match.groupdict().get("of")
    if holder and not voice.is_entity(holder):
        return None
    lead = sentence.text[: match.start()]
    if want.current and _UNDER.search(lead):
        return None
    if (want.current and _is_past(sentence.text, match)) or _DENIED.search(
        sentence.text[max(0, match.start() - 20) : match.start("v")]
    ):
        return None
    if (
        _BEFORE_SUBJECT.match(lead)
        and "," not in lead
        and not voice.spans(lead)
        and not _follows(sentence.text[match.end() :], voice)
    ):
        return None
    spoken = spoken_of(sentence.text, match.start(), voice, want.relation)
    if spoken is None and holder and voice.is_entity(holder):
        return "named"
    return spoken


def _is_past(text: str, match: re.Match[str]) -> bool:
    """Tell whether a sentence says who held an office once: "In 1975 ...", "the first ...", "..., who resigned"."""
    told = f"{text[max(0, match.start() - 60) : match.start()]}{match[0]}"
    return bool(
        _PAST.search(told)
        or _DATED.search(_AS_OF.sub("", text[: match.end()]))
        or _ENDED.match(text[match.end() :])
    )


def _follows(tail: str, voice: Speaker) -> bool:
    """Tell whether the main clause after "With an area of ..." is about the entity."""
    clause = tail.split(",", 1)[-1].strip()
    spans = voice.spans(clause)
    return bool(spans and spans[0][0] < 8) or bool(_THE_SAME.match(clause))


def _tells(value: str, want: Want, voice: Speaker) -> bool:
    """Tell whether a value says anything: a name at birth that is no title, a demonym that is formed from the name."""
    if want.kind in {"integer", "number"} and want.relation not in DATED and _LIKE_YEAR.fullmatch(value):
        return False  # "the population as of 2016"
    known = BY_KIND.get(want.relation)
    if known is not None and known.nouns and re.search(rf"\b(?:{known.nouns})\b", value, re.IGNORECASE):
        return False  # "the currency was the worst performing currency"
    if want.relation == "birth_name":
        return not voice.is_title(value)
    return want.relation != "demonym" or voice.is_formed_from(value)


def _trimmed(value: str, voice: Speaker) -> str:
    """Drop the entity from the end of a value: "Ulm, Doe" of "Born in Ulm, Doe grew up poor"."""
    head, comma, tail = value.rpartition(", ")
    return head if comma and voice.spans(tail) else value


def _fact(match: re.Match[str], sentence: Sentence, cue: Cue, want: Want, spoken: str) -> Fact:
    return Fact(
        label=want.relation or want.words,
        value=match["v"].strip(" ,.;"),
        excerpt=sentence.text,
        how=How.LOOSE if cue.loose else How.SENTENCE,
        heading=sentence.heading,
        as_of=year_spoken_of(sentence.text) if want.changes else "",
        block=sentence.block,
        sure=cue.sure and not want.changes and (spoken == "named" or want.relation in _LIVES),
    )


def _triggered(document: Document, trigger: re.Pattern[str]) -> Iterator[tuple[int, Sentence]]:
    """Yield the sentences that hold a trigger, with their numbers, by one pass over the document's text."""
    text, starts = document.joined
    last = -1
    for match in trigger.finditer(text):
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
