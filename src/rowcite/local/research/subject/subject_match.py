"""Whose fact it is: does a statement in a document bear on the entity or on somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rowcite.local.research.documents.concepts import concept_of_label
from rowcite.local.research.documents.document import Document, Fact, How
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.text.normalise import core_name, fold, is_legal_form, plain
from rowcite.local.research.text.places import same_place
from rowcite.local.research.text.urls import address_in

_OTHER_BETWEEN = re.compile(
    r"\b(?:customers?|clients?|rivals?|competitors?|suppliers?|partners?|parent|subsidiar\w+|owner|investors?|acquirer|whose|whereas|while|unlike|"
    r"compared|than|bought|acquired|acquires|acquisition|sells? to|sold|serves|alongside|neighbours?|peers?)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^[\"“'\u2018(]?(?:we|our|us|it|its|the (?:company|firm|group|business|start-?up|manufacturer|maker|carrier|operator|provider|supplier|"
    r"utility|cooperative|co-operative|family|haulier|shipowner|shipyard|yard|team|consultancy|practice|developer|vendor|organi[sz]ation|society|"
    r"[a-z-]+ (?:company|firm|group|business|maker|manufacturer|operator|start-?up))|today|now|currently|at present|as of|with|in total|altogether|"
    r"to date|since|founded|established|started|headquartered|based|employing|in (?:19|20)\d\d|from its|from our)\b",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:we|it|the (?:company|firm|group|business))(?: (?:now|today|currently|also))?\s*$", re.IGNORECASE
)
_THIRD = re.compile(
    r"\b(?:they|their|he|she|his|her|customers?|clients?|users?|suppliers?|competitors?|rivals?|partners?|investors?|industry|sector|market|average)\b",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![.!?:] )(?<!^)(?<![\w])([A-ZÀ-ÖØ-Þ][\w'\u2019-]+)")
_AFTER_PREPOSITION = re.compile(
    r"\b(?:in|from|at|on|near|of|since|around|by|between|and|to|across|for|under|outside|until|through|mid|early|late)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_HEADLINE_VERB = re.compile(
    r"(?:Raises?|Wins?|Opens?|Appoints?|Names?|Launches|Closes|Secures|Takes|Lands|Adds|Doubles|Expands|Hires|Reports?|Posts|Announces|Joins|Buys|"
    r"Acquires|Signs|Moves|Celebrates|Plans|Gets|Is|Has|Was|To|In|On|Goes|Cuts|Grows|Unveils|Completes|Bags|Picks|Says|About|At|With|For)$"
)
_BODY_OF = re.compile(
    r"\b(?:University|College|Bank|Museum|Church|Diocese|Battle|Treaty|Government|Parliament|Port|History|Economy) of (?:the )?$"
)
_PART_OF = re.compile(
    r"\b(?!(?:history|story|roots|origins?|foundation|beginnings?|town|city|village) )[a-z]{3,} (?:of|in|at|near) (?:the )?$"
)
_LISTED = re.compile(r"(?<=\bin )(?:[A-Z][\w'-]+(?: [A-Z][\w'-]+)?(?:, and |, | and ))+$")
_CALENDAR = frozenset(["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "ceo", "i", "founder", "chief", "managing", "director", "chair"])  # fmt: skip


@dataclass(frozen=True)
class Naming:
    """How the entity is called: folded names, a pattern that finds them, and names of others in the corpus."""

    names: tuple[str, ...]
    mention: re.Pattern[str] | None
    others: frozenset[str]

    def is_name(self, text: str) -> bool:
        """Tell whether a text is one of the names and nothing else."""
        return core_name(text) in self.names or fold(text) in self.names

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where a text names the entity; longer names that only begin alike do not count."""
        if self.mention is None:
            return []
        even = plain(text)
        return [
            match.span()
            for match in self.mention.finditer(even)
            if not _longer_name(even, match.end()) and not _BODY_OF.search(even[: match.start()])
        ]

    def names_other(self, text: str) -> bool:
        """Tell whether a text names somebody else whom the corpus knows."""
        words = fold(text).split()
        if not self.others.isdisjoint(words):
            return True
        return any(
            " ".join(words[start : start + size]) in self.others
            for size in (2, 3, 4)
            for start in range(len(words) - size + 1)
        )


@lru_cache(maxsize=4096)
def mention_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern for any of the folded names in accent-free text, capitalised as names are."""
    if not names:
        return None
    choices = sorted(
        {
            r"[\W_]+".join("(?:and|&)" if word == "and" else _with_apostrophe(word) for word in name.split())
            for name in names
        },
        key=len,
        reverse=True,
    )
    return re.compile(rf"(?<![\w])(?=[A-Z\d]|[a-z]+[A-Z])(?i:{'|'.join(choices)})(?![\w])")


def _with_apostrophe(word: str) -> str:
    """Return a folded word's pattern: "roes" stands for "Roe's" as well, "dalva" for "D'Alva"."""
    if len(word) < 3:
        return re.escape(word)
    return f"{re.escape(word[0])}['\u2019]?{re.escape(word[1:-1])}['\u2019]?{re.escape(word[-1])}"


@dataclass(frozen=True)
class Place:
    """How a document stands to the entity, as far as its statements are concerned."""

    own: bool  # on the entity's own site
    profile: bool  # presents the entity as its subject
    headline: bool  # names it in the title


def bears(fact: Fact, document: Document, place: Place, naming: Naming) -> How | None:
    """Return how directly a fact speaks of the entity; None when it speaks of somebody else."""
    if fact.subject:
        return fact.how if naming.is_name(fact.subject) or _own_part(fact, place, naming) else None
    if fact.lead is None:
        return _labelled(fact, document, place, naming)
    return _spoken(fact, fact.lead, document, place, naming)


def _own_part(fact: Fact, place: Place, naming: Naming) -> bool:
    """Tell whether data on the own site calls the entity by a longer or shorter name."""
    if not place.own or fact.how is not How.DATA:
        return False
    subject = core_name(fact.subject)
    return any(subject.startswith(f"{name} ") or name.startswith(f"{subject} ") for name in naming.names)


def _labelled(fact: Fact, document: Document, place: Place, naming: Naming) -> How | None:
    block = document.blocks[fact.block] if 0 <= fact.block < len(document.blocks) else None
    heading = fact.heading
    if naming.spans(heading):
        return fact.how
    if heading and (naming.names_other(heading) or OTHERS_HEADING.search(heading)):
        return None
    if place.own or place.profile:
        return (
            None
            if block is not None and block.aside and not _is_fact_box(heading) and not place.profile
            else fact.how
        )
    return How.LOOSE if place.headline else None


def _is_fact_box(heading: str) -> bool:
    return not heading or bool(
        re.search(r"\b(?:fact|glance|info|key|details|profile|data|figures|numbers)", heading, re.IGNORECASE)
    )


def _spoken(fact: Fact, lead: str, document: Document, place: Place, naming: Naming) -> How | None:
    """Judge a sentence by who stands before its statement, else by whom the text speaks of."""
    spans = naming.spans(lead)
    if spans:
        between = lead[spans[-1][1] :]
        if fact.concept == "founded" and (
            (between.endswith("(") and not is_clean(between)) or _PART_OF.search(lead[: spans[-1][0]])
        ):
            return None  # "clubs of Ulm include the Otter Club (established 1836)", "the first railway of Ulm was opened"
        return None if _OTHER_BETWEEN.search(between) or naming.names_other(between) else fact.how
    if naming.names_other(lead):
        return None
    ahead = naming.spans(fact.tail)
    if ahead:
        between = fact.tail[: ahead[0][0]].replace(fact.value, " ")
        fine = (
            is_clean(lead)
            and not naming.names_other(between)
            and not re.search(
                r"\b(?:customer|client|rival|competitor|supplier)s? (?:of|to|for)?\s*$", between
            )
        )
        return fact.how if fine else None
    return _unnamed(fact, lead, document, place, naming)


def _unnamed(fact: Fact, lead: str, document: Document, place: Place, naming: Naming) -> How | None:
    """Judge a sentence that names nobody: "We employ 240 people", "The company was founded in 1998"."""
    start = lead or fact.tail
    if not is_clean(lead) or _THIRD.search(lead) or naming.names_other(fact.tail.replace(fact.value, " ")):
        return None
    pronoun = not lead or bool(_PRONOUN.match(start) or _SELF.search(lead))
    if place.own:
        return fact.how if pronoun else How.LOOSE
    if not pronoun:
        return None
    if place.profile:
        return fact.how
    return How.LOOSE if _follows_mention(fact, document, naming) else None


def _follows_mention(fact: Fact, document: Document, naming: Naming) -> bool:
    """Tell whether the last one named before a sentence is the entity."""
    if fact.block < 0:
        return False
    before = document.blocks[fact.block - 1].text if fact.block else ""
    current = document.blocks[fact.block].text
    context = f"{before} {current[: current.find(fact.excerpt)]}"
    spans = naming.spans(context)
    return bool(spans) and not naming.names_other(context[spans[-1][1] :])


def is_clean(lead: str) -> bool:
    """Tell whether the words before a statement name no other subject; places after a preposition may stand there."""
    even = plain(lead)
    for match in _CAPITAL.finditer(even):
        if match[1].lower() not in _CALENDAR and not _AFTER_PREPOSITION.search(
            _without_lists(even[: match.start()])
        ):
            return False
    return True


def _without_lists(words: str) -> str:
    """Drop the earlier members of a list at the end of some words: "in Spain, Chile, " is "in "."""
    return _LISTED.sub("", words)


def _longer_name(text: str, end: int) -> bool:
    """Tell whether a capitalised word that is no legal form goes on right after a name: "Northwind Traders"."""
    match = re.match(r" (?:(?:&|and|of) )?([A-Z][\w'\u2019-]+)", text[end:])
    if not match or is_legal_form(match[1]) or match[1].lower() in _CALENDAR:
        return False
    return not _HEADLINE_VERB.match(match[1])


def row_contradicts(fact: Fact, sites: tuple[str, ...], places: tuple[str, ...]) -> bool:
    """Tell whether a table row's other cells put its name on another site or in another place than known."""
    row_sites = {site for _, cell in fact.hints if (site := address_in(cell))}
    if sites and row_sites:
        return not row_sites & set(sites)
    stated = [cell for label, cell in fact.hints if concept_of_label(label) in {"city", "hq"}]
    return bool(places and stated) and not any(same_place(cell, place) for cell in stated for place in places)
