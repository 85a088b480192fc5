"""Whom a sentence of running text speaks of: the entity by name, the entity by "it" or "she", or somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rowcite.local.research.bearing import Naming, mention_pattern
from rowcite.local.research.dossier import Standing
from rowcite.local.research.opening import is_person, is_place, kind_of, opening_of, says_more
from rowcite.local.research.places import is_demonym
from rowcite.local.research.text import fold, plain

Spoken = Literal["named", "implied"]

_STARTERS = re.compile(
    r"a|about|according|after|all|although|also|among|an|and|another|as|at|because|before|being|between|both|born|but|by|"
    r"currently|despite|during|each|earlier|early|established|even|every|finally|first|following|for|formally|formerly|founded|"
    r"from|had|having|he|her|his|how|however|if|in|including|initially|it|its|just|last|late|later|like|located|many|more|most|"
    r"much|nearly|no|not|now|of|officially|often|on|once|one|only|or|originally|other|our|over|owing|published|released|"
    r"she|since|situated|so|some|soon|still|such|that|the|their|then|there|these|they|this|those|though|through|throughout|to|"
    r"today|together|two|under|until|upon|us|was|we|when|where|which|while|who|whose|with|within|written|you|your|based|known|"
    r"approximately|around|only|although|overall|home|directed|produced|construction|work|production|filming|membership|services|politics|citizens|"
    r"inhabitants|residents|people|named|designed|built|opened|created|formed|awarded|launched|developed|owned|operated|today"
)
_CALENDAR = re.compile(
    r"january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday|spring|summer|autumn|winter"
)
_CAPITAL = re.compile(r"(?<![\w'\u2019&-])(?<![A-Z]\.)[A-ZÀ-ÖØ-Þ][\w'\u2019-]*")
_SETTING = re.compile(
    r"(?:^|[\s(])(?:in|from|at|on|near|of|since|around|by|between|and|to|across|for|under|outside|until|through|mid|early|late|with|after|before|during|into|"
    r"than|as|the|an?|or|via|per|against|over|within|[A-ZÀ-Þ][\w.'\u2019&-]*,?)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_KIN = re.compile(
    r"\b(?:fathers?|mothers?|brothers?|sisters?|sons?|daughters?|parents?|grand\w+|uncle|aunt|cousins?|nephew|niece|half-\w+|siblings?|children|child|"
    r"friends?|colleagues?|ancestors?|(?<=\bhis )family|(?<=\bher )family|(?<=\btheir )family|(?<=\bthe )family|(?<=['\u2019]s )family)\b",
    re.IGNORECASE,
)
_BODIES = re.compile(
    r"\b(?:University|College|Bank|Museum|Church|Diocese|Archdiocese|Battle|Treaty|Duke|Duchess|King|Queen|Prince|Princess|Parliament|Government|Economy|"
    r"History|Geography|Culture|Politics|Archbishop|Bishop|Mayor|President|Governor|City|Port|Academy|Institute|School|Bay|Gulf|Region|Association|House|"
    r"Greater|Downtown|North|South|East|West|Northern|Southern|Eastern|Western|New) (?:of (?:the )?)?$"
)
_INITIALS = re.compile(r"^[^()]{4,80} \((?:[^()]{0,60}[;,] ?)?([A-Z][A-Z&-]{1,7})\)")
_OTHER_TITLE = re.compile(
    r"(?!(?:The|In|At|On|By|For|From|With|As|Its?|This|That|When|After|Before|Since)\b)[A-Z][\w-]+ [A-Z][\w-]+ $"
)
_OF_NOUN = re.compile(r"\b[a-z]{3,} (?:of|in|from|near|to|for|by|with) (?:the )?$")
_OWNER = re.compile(r"[A-ZÀ-ÖØ-Þ][\w.-]*(?P<mark>['\u2019])s? (?:[a-z-]+ ){0,3}$")
_PARTNER = re.compile(r"\b(?:wife|husband)\b", re.IGNORECASE)
_DESCENT = re.compile(
    r"^,? (?:(?:the|an?|only|eldest|youngest|second|third) )+(?:[a-z-]+ ){0,3}(?:son|daughter|child) of [^,;]+,"
)
_LAST_NAME = re.compile(r"([A-Z\u00c0-\u00de][\w'\u2019-]*)\s+$")
_FINITE = re.compile(
    r"(?:is|was|are|were|has|had|have|became|covers|contains|spans|produces|manufactures|makes|employs|died|drowned|married|won|received|rises|flows|seats|holds|uses|adopted|lives|"
    r"plays|competes|studied|graduated|attended|entered|earned|came|took|joined|operates|numbers|numbered|totals|counts)\b"
)
_DESCENT_FIRST = re.compile(
    r"^(?:The|An?|Only|Eldest|Youngest|Second) (?:[a-z-]+ ){0,3}(?:son|daughter|child) of [^,;]+(?:, [^,;]+)?, (?=(?:he|she)\b)"
)
_RELATIVE = re.compile(r"\b(?:who|whose)\b")
_PREDICATE = re.compile(r"\b(?:is|was|are|were) (?:(?:an?|the|one of the) )[^,;]*$")
_BRACKETS = re.compile(r"\([^()]*\)")
_BORROWABLE = frozenset({"publication_year", "publisher", "author", "illustrator"})
_BORROWED = re.compile(
    r"\b(?:based (?:up)?on|adapted from|adaptation of|inspired by|version of|translation of)\b"
)
_ALIAS = re.compile(
    r"^,? ?(?:\([^()]*\)|(?:,? ?(?:also|formerly|better|commonly|originally|officially|sometimes|simply|often|or) ?)+(?:known |called |named |titled |abbreviated )?(?:as )?[^,;()]{2,50},)"
)
_LAST_PART = re.compile(r" (?:[A-Z]\. )?([A-Z\u00c0-\u00de][\w'\u2019-]+)")
_FIRST_NAME = re.compile(r"\b([A-Z][\w'-]+) $")
_TITLES = re.compile(
    r"mr|mrs|ms|miss|dr|sir|dame|lord|lady|president|senator|professor|prof|captain|general|colonel|king|queen|prince|princess|pope|saint|st|governor|mayor|justice"
)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|v)\.?")


@dataclass(frozen=True)
class Speaker:
    """How a document may call the entity; `profile` says that the document is about it."""

    mention: re.Pattern[str] | None
    profile: bool
    names: tuple[str, ...] = ()
    person: bool = False
    opening: str = ""  # the folded beginning of the sentence that says who the subject is
    place: bool = False
    kind: frozenset[str] = frozenset()  # the folded words that say what the subject is: "short", "film"

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where a text names the entity itself, not a body or a place called after it."""
        if self.mention is None:
            return []
        even = plain(text)
        found = [match.span() for match in self.mention.finditer(even)]
        return [
            (start, end)
            for start, end in found
            if not _BODIES.search(even[:start])
            and not self._is_relative(even, start, end)
            and not self._is_namesake(even, start, end)
        ]

    def _is_relative(self, even: str, start: int, end: int) -> bool:
        """Tell whether a surname alone stands behind somebody else's first name."""
        before = _FIRST_NAME.search(even[:start])
        if not self.person or before is None or " " in even[start:end].strip():
            return False
        word = before[1].casefold().strip(".")
        known = {part for name in (*self.names, self.opening) for part in name.split()}
        return not (
            word in known
            or len(word) < 2
            or _TITLES.fullmatch(word)
            or _STARTERS.fullmatch(word)
            or _CALENDAR.fullmatch(word)
        )

    def _is_namesake(self, even: str, start: int, end: int) -> bool:
        """Tell whether a first name alone stands before somebody else's surname."""
        after = _LAST_PART.match(even[end:])
        if not self.person or after is None or " " in even[start:end].strip():
            return False
        word = fold(after[1])
        return not any(word in name.split() for name in (*self.names, self.opening))

    def opens(self, text: str) -> bool:
        """Tell whether a sentence is the one that says what the subject is."""
        return self.profile and bool(self.opening) and fold(text[:90]).startswith(self.opening[:70])

    def is_title(self, name: str) -> bool:
        """Tell whether words are one of the names and nothing more."""
        return self.mention is not None and self.mention.fullmatch(plain(name)) is not None

    def is_formed_from(self, word: str) -> bool:
        """Tell whether a word is made of the entity's name: "Angolan" of "Angola"."""
        stem = fold(word)[:4]
        return len(stem) > 3 and any(name.startswith(stem) and name != fold(word) for name in self.names)

    def is_entity(self, name: str) -> bool:
        """Tell whether a name, or words such as "the country", mean the entity."""
        bare = plain(name).strip()
        if bare[:1].islower():
            return self.profile and bare.startswith(("the ", "its ", "this ", "he", "she", "it"))
        return self.mention is not None and any(
            match.end() >= len(bare) - 1 for match in self.mention.finditer(bare)
        )


def speaker(standing: Standing, naming: Naming) -> Speaker:
    """Return how to find the entity in a document; a page about a person uses the surname alone."""
    document, place = standing.document, standing.place
    profile = place.own or place.profile
    names = naming.names
    if profile and is_person(document):
        names = (*names, *(short for name in naming.names for short in _short_forms(name)))
    if profile and (initials := _INITIALS.search(opening_of(document)[:200])):
        names = (*names, fold(initials[1]))
    elif profile and (acronym := _acronym(document.title)):
        names = (*names, acronym)
    if profile and (plain_name := _before_nouns(document.title, naming)):
        names = (*names, plain_name)
    return Speaker(
        mention_pattern(tuple(dict.fromkeys(names))),
        profile,
        naming.names,
        profile and is_person(document),
        fold(opening_of(document)[:80]),
        profile and is_place(document),
        kind_of(document) if profile else frozenset(),
    )


def _short_forms(name: str) -> tuple[str, ...]:
    """Return a person's surname and first name: "roe" and "ann" of "ann b. roe jr."."""
    words = [word for word in name.split() if not _SUFFIX.fullmatch(word)]
    if not 1 < len(words) < 6:
        return ()
    return tuple(word for word in (words[-1], words[0]) if len(word) > 2 and not _TITLES.fullmatch(word))


def _acronym(title: str) -> str:
    """Return the initials of a name of three words and more: "otp" of "Oil Trade of Pomona"."""
    words = re.findall(r"[A-Z]\w+", re.split(r"\s+[|\u2013\u2014(]", title)[0])
    return "".join(word[0] for word in words).lower() if len(words) > 2 else ""


def _before_nouns(title: str, naming: Naming) -> str:
    """Return "brahui" of a page called "Brahui language": what the text says for short."""
    words = re.split(r"\s+[|\u2013\u2014(-]", title)[0].split()
    proper = [word for word in words if word[:1].isupper()]
    short = fold(" ".join(proper))
    return (
        short
        if 0 < len(proper) < len(words)
        and words[: len(proper)] == proper
        and len(short) > 2
        and any(name.startswith(short) for name in naming.names)
        else ""
    )


def spoken_of(text: str, start: int, speaker: Speaker, kind: str) -> Spoken | None:
    """Tell how a sentence comes to a statement that begins at `start`; None when it is about somebody else."""
    lead = text[:start]
    spans = speaker.spans(lead)
    if kind in _BORROWABLE and _BORROWED.search(lead):
        return None  # "based on the novel by Bob Roe, published in 1920"
    if spans and speaker.opens(text) and says_more(lead):
        return "named"
    if _is_anothers_verb(lead, text[start:], spans, speaker):
        return None  # "the Air Force had 8,000 ..."
    owner = _OWNER.search(lead)
    if owner and all(end != owner.start("mark") for _, end in spans):
        return None  # "a delegation to Bolonia's capital ..."
    if spans:
        between = lead[spans[-1][1] :]
        if not between.strip() and _OF_NOUN.search(lead[: spans[-1][0]]):
            return None  # "the first railway of Kharkiv was opened in 1869"
        if between.startswith(("'s", "\u2019s")):
            between = between[2:]
        between = _ALIAS.sub(" ", _DESCENT.sub(" ", between))
        return "named" if _is_quiet(between, kind) and not _turns_away(between) else None
    lead = _DESCENT_FIRST.sub("", lead)
    if not speaker.profile or _turns_away(lead) or not _is_quiet(lead, kind, opens=True):
        return None
    return "implied"


def _is_anothers_verb(lead: str, rest: str, spans: list[tuple[int, int]], speaker: Speaker) -> bool:
    """Tell whether a verb follows right after a name that is not the entity's."""
    last = _LAST_NAME.search(lead)
    if last is None or not _FINITE.match(rest):
        return False
    word = last[1].casefold()
    return not (
        any(end >= last.end(1) for _, end in spans)
        or _CALENDAR.fullmatch(word)
        or is_demonym(last[1])
        or _STARTERS.fullmatch(word)
        or (speaker.profile and any(fold(word) in name.split() for name in speaker.names))
    )


def _turns_away(words: str) -> bool:
    """Tell whether a relative clause after somebody or something else leads to a statement: "married Bob, who was ..."."""
    found = list(_RELATIVE.finditer(words))
    if not found:
        return False
    before = words[: found[-1].start()].strip(" ,")
    return bool(before) and not _PREDICATE.search(before) and not _BRACKETS.fullmatch(before)


def _is_quiet(words: str, kind: str, *, opens: bool = False) -> bool:
    """Tell whether words bring in no other subject: capitals stand only in settings, and no relatives are named."""
    if _KIN.search(words) or (kind != "spouse" and _PARTNER.search(words)):
        return False
    even = plain(words)
    if _OTHER_TITLE.search(even):
        return False  # "with European Commission President ..."
    for match in _CAPITAL.finditer(even):
        word = match[0].casefold()
        first = opens and not even[: match.start()].strip(" \"'(\u201c\u2018")
        if first and _STARTERS.fullmatch(word.split("'", maxsplit=1)[0]):
            continue
        if (
            _CALENDAR.fullmatch(word)
            or is_demonym(word)
            or (not first and _SETTING.search(even[: match.start()]))
        ):
            continue
        return False
    return True
