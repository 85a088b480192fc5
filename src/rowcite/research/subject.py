"""Whom a sentence of running text speaks of: the entity by name, the entity by "it" or "she", or somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rowcite.research.bearing import Naming, mention_pattern
from rowcite.research.document import Document
from rowcite.research.dossier import Standing
from rowcite.research.text import fold, plain

Spoken = Literal["named", "implied"]

_STARTERS = re.compile(
    r"a|about|according|after|all|although|also|among|an|and|another|as|at|because|before|being|between|both|born|but|by|"
    r"currently|despite|during|each|earlier|early|established|even|every|finally|first|following|for|formally|formerly|founded|"
    r"from|had|having|he|her|his|how|however|if|in|including|initially|it|its|just|last|late|later|like|located|many|more|most|"
    r"much|nearly|no|not|now|of|officially|often|on|once|one|only|or|originally|other|our|over|owing|published|released|"
    r"she|since|situated|so|some|soon|still|such|that|the|their|then|there|these|they|this|those|though|through|throughout|to|"
    r"today|together|two|under|until|upon|us|was|we|when|where|which|while|who|whose|with|within|written|you|your|based|known|"
    r"approximately|around|only|although|overall|home|directed|produced"
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
    r"friends?|colleagues?|ancestors?|family)\b",
    re.IGNORECASE,
)
_BODIES = re.compile(
    r"\b(?:University|College|Bank|Museum|Church|Diocese|Archdiocese|Battle|Treaty|Duke|Duchess|King|Queen|Prince|Princess|Parliament|Government|Economy|"
    r"History|Geography|Culture|Politics|Archbishop|Bishop|Mayor|President|Governor|City|Port|Academy|Institute|School|Bay|Gulf|Region|Association|House|"
    r"Greater|Downtown|North|South|East|West|Northern|Southern|Eastern|Western|New) (?:of (?:the )?)?$"
)
_INITIALS = re.compile(r"^[^()]{4,80} \((?:[^()]{0,60}[;,] ?)?([A-Z][A-Z&-]{1,7})\)")
_OTHER_TITLE = re.compile(r"[A-Z][\w-]+ [A-Z][\w-]+ $")
_OF_NOUN = re.compile(r"\b[a-z]{3,} (?:of|in|from|near|to|for|by|with) (?:the )?$")
_OWNER = re.compile(r"[A-ZÀ-ÖØ-Þ][\w.-]*(?P<mark>['\u2019])s? (?:[a-z-]+ ){0,3}$")
_PARTNER = re.compile(r"\b(?:wife|husband)\b", re.IGNORECASE)
_LONG = 40
_DEFINES = re.compile(
    r"^(?:The )?[A-Z\d].*? (?:is|was|are|were) (?:(?:an?|the|one) [^.]{3,}|[A-Z][\w.]*(?: [A-Z][\w.]*)*['\u2019]s [^.]{3,})\.$"
)
_LIFE = re.compile(r"\([^()]*\b(?:born|1\d\d\d|20\d\d)\b|\bborn\b", re.IGNORECASE)
_LIVED = re.compile(
    r"\b(?:was born|she|he|his|her|died|married|graduated|studied|attended|native of)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Speaker:
    """How a document may call the entity; `profile` says that the document is about it."""

    mention: re.Pattern[str] | None
    profile: bool
    names: tuple[str, ...] = ()

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where a text names the entity itself, not a body or a place called after it."""
        if self.mention is None:
            return []
        even = plain(text)
        found = [match.span() for match in self.mention.finditer(even)]
        return [(start, end) for start, end in found if not _BODIES.search(even[:start])]

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
        names = (
            *names,
            *(
                name.split()[-1]
                for name in naming.names
                if 1 < len(name.split()) < 6 and len(name.split()[-1]) > 2
            ),
        )
    if profile and (initials := _INITIALS.search(opening_of(document)[:200])):
        names = (*names, fold(initials[1]))
    if profile and (plain_name := _before_nouns(document.title, naming)):
        names = (*names, plain_name)
    return Speaker(mention_pattern(tuple(dict.fromkeys(names))), profile, naming.names)


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


def is_person(document: Document) -> bool:
    """Tell whether a page is about a person, by its opening sentence."""
    return bool(_LIFE.search(opening_of(document)[:300]) or _LIVED.search(document.text[:3000]))


def opening_of(document: Document) -> str:
    """Return the first full sentence of the text: it says what the subject is."""
    return next((s.text for s in document.sentences if is_opening(s.text) and not s.aside), "")


def is_opening(text: str) -> bool:
    """Tell whether a text is long enough to say what something is, or short and says "X is a Y"."""
    return len(text) > _LONG or bool(_DEFINES.search(text))


def spoken_of(text: str, start: int, speaker: Speaker, kind: str) -> Spoken | None:
    """Tell how a sentence comes to a statement that begins at `start`; None when it is about somebody else."""
    lead = text[:start]
    spans = speaker.spans(lead)
    owner = _OWNER.search(lead)
    if owner and all(end != owner.start("mark") for _, end in spans):
        return None  # "a delegation to Bolonia's capital ..."
    if spans:
        between = lead[spans[-1][1] :]
        if not between.strip() and _OF_NOUN.search(lead[: spans[-1][0]]):
            return None  # "the first railway of Kharkiv was opened in 1869"
        if between.startswith(("'s", "\u2019s")):
            between = between[2:]
        return "named" if _is_quiet(between, kind) else None
    if not speaker.profile or not _is_quiet(lead, kind, opens=True):
        return None
    return "implied"


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
        if _CALENDAR.fullmatch(word) or (not first and _SETTING.search(even[: match.start()])):
            continue
        return False
    return True
