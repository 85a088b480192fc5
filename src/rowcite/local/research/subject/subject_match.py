"""Decide whether a fact is about the entity or about another one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rowcite.local.research.documents.document import Directness, Document, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.text.normalise import core_name, fold, is_legal_form, strip_accents
from rowcite.local.research.text.places import same_place
from rowcite.local.research.text.urls import site_in

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
_RELATIVE_CLAUSE = re.compile(r"\b(?:which|who|whose|that)\b[^,;]*$")
_LISTED = re.compile(r"(?<=\bin )(?:[A-Z][\w'-]+(?: [A-Z][\w'-]+)?(?:, and |, | and ))+$")
_LONG_NAME = 3  # spaces: a capitalised word after so long a name is not part of it
_CALENDAR = frozenset(["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "ceo", "i", "founder", "chief", "managing", "director", "chair"])  # fmt: skip


@dataclass(frozen=True)
class EntityNames:
    """The folded names of the entity, a pattern that finds them, and the names of others in the corpus."""

    names: tuple[str, ...]
    mention: re.Pattern[str] | None
    others: frozenset[str]

    def is_name(self, text: str) -> bool:
        """Return True if a text is exactly one of the names."""
        return core_name(text) in self.names or fold(text) in self.names

    def mentions(self, text: str) -> list[tuple[int, int]]:
        """Return the positions where a text names the entity; longer names that begin alike do not count."""
        if self.mention is None:
            return []
        even = strip_accents(text)
        return [
            match.span()
            for match in self.mention.finditer(even)
            if (match[0].count(" ") > _LONG_NAME or not _longer_name(even, match.end()))
            and not _BODY_OF.search(even[: match.start()])
        ]

    def names_another(self, text: str) -> bool:
        """Return True if a text names another entity of the corpus."""
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
    """Return a pattern for any of the folded names in text without accents, capitalised as names are."""
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
    """Return the pattern of a folded word: "roes" also matches "Roe's", "dalva" also "D'Alva"."""
    if len(word) < 3:
        return re.escape(word)
    return f"{re.escape(word[0])}['\u2019]?{re.escape(word[1:-1])}['\u2019]?{re.escape(word[-1])}"


@dataclass(frozen=True)
class DocumentRole:
    """The relation of a document to the entity, as far as its statements are concerned."""

    own: bool  # on the entity's own site
    profile: bool  # presents the entity as its subject
    headline: bool  # names it in the title


def match_fact(
    fact: Fact, document: Document, role: DocumentRole, entity_names: EntityNames
) -> Directness | None:
    """Return how directly a fact is about the entity; None if it is about another one."""
    if fact.subject:
        return (
            fact.directness
            if entity_names.is_name(fact.subject) or _is_name_variant(fact, role, entity_names)
            else None
        )
    if fact.lead is None:
        return _match_labelled(fact, document, role, entity_names)
    return _match_sentence(fact, fact.lead, document, role, entity_names)


def _is_name_variant(fact: Fact, role: DocumentRole, entity_names: EntityNames) -> bool:
    """Return True if data on the own site uses a longer or shorter form of the name."""
    if not (role.own or role.profile) or fact.directness is not Directness.DATA:
        return False
    subject = core_name(fact.subject)
    least = 0 if role.own else 1  # spaces in the shorter name
    return any(
        (subject.startswith(f"{name} ") and name.count(" ") >= least)
        or (name.startswith(f"{subject} ") and subject.count(" ") >= least)
        for name in entity_names.names
    )


def _match_labelled(
    fact: Fact, document: Document, role: DocumentRole, entity_names: EntityNames
) -> Directness | None:
    block = document.blocks[fact.block] if 0 <= fact.block < len(document.blocks) else None
    heading = fact.heading
    if entity_names.mentions(heading):
        return fact.directness
    if heading and (entity_names.names_another(heading) or OTHERS_HEADING.search(heading)):
        return None
    if role.own or role.profile:
        return (
            None
            if block is not None and block.aside and not _is_fact_box(heading) and not role.profile
            else fact.directness
        )
    return Directness.PASSING if role.headline else None


def _is_fact_box(heading: str) -> bool:
    return not heading or bool(
        re.search(r"\b(?:fact|glance|info|key|details|profile|data|figures|numbers)", heading, re.IGNORECASE)
    )


def _match_sentence(
    fact: Fact, lead: str, document: Document, role: DocumentRole, entity_names: EntityNames
) -> Directness | None:
    """Judge a sentence by the name before its statement, else by the name after it."""
    mentions = entity_names.mentions(lead)
    if mentions:
        between = lead[mentions[-1][1] :]
        if _RELATIVE_CLAUSE.search(lead[: mentions[-1][0]]):
            return None  # "Globex, which supplies Acme, has ..."
        if fact.concept == "founded" and (
            (between.endswith("(") and not names_no_other(between))
            or _PART_OF.search(lead[: mentions[-1][0]])
        ):
            return None  # "clubs of Ulm include the Otter Club (established 1836)", "the first railway of Ulm was opened"
        return (
            None if _OTHER_BETWEEN.search(between) or entity_names.names_another(between) else fact.directness
        )
    if entity_names.names_another(lead):
        return None
    ahead = entity_names.mentions(fact.tail)
    if ahead:
        between = fact.tail[: ahead[0][0]].replace(fact.value, " ")
        fine = (
            names_no_other(lead)
            and not entity_names.names_another(between)
            and not re.search(
                r"\b(?:customer|client|rival|competitor|supplier)s? (?:of|to|for)?\s*$", between
            )
        )
        return fact.directness if fine else None
    return _match_unnamed(fact, lead, document, role, entity_names)


def _match_unnamed(
    fact: Fact, lead: str, document: Document, role: DocumentRole, entity_names: EntityNames
) -> Directness | None:
    """Judge a sentence without a name: "We employ 240 people", "The company was founded in 1998"."""
    start = lead or fact.tail
    if (
        not names_no_other(lead)
        or _THIRD.search(lead)
        or entity_names.names_another(fact.tail.replace(fact.value, " "))
    ):
        return None
    pronoun = not lead or bool(_PRONOUN.match(start) or _SELF.search(lead))
    if role.own:
        return fact.directness if pronoun else Directness.PASSING
    if not pronoun:
        return None
    if role.profile:
        return fact.directness
    return Directness.PASSING if _follows_mention(fact, document, entity_names) else None


def _follows_mention(fact: Fact, document: Document, entity_names: EntityNames) -> bool:
    """Return True if the entity is the last one named before a sentence."""
    if fact.block < 0:
        return False
    before = document.blocks[fact.block - 1].text if fact.block else ""
    current = document.blocks[fact.block].text
    context = f"{before} {current[: current.find(fact.excerpt)]}"
    mentions = entity_names.mentions(context)
    return bool(mentions) and not entity_names.names_another(context[mentions[-1][1] :])


def names_no_other(lead: str) -> bool:
    """Return True if words contain no other name; places after a preposition are allowed."""
    even = strip_accents(lead)
    for match in _CAPITAL.finditer(even):
        if match[1].lower() not in _CALENDAR and not _AFTER_PREPOSITION.search(
            _without_lists(even[: match.start()])
        ):
            return False
    return True


def _without_lists(words: str) -> str:
    """Return the words without the earlier members of a list at their end: "in Spain, Chile, " is "in "."""
    return _LISTED.sub("", words)


def _longer_name(text: str, end: int) -> bool:
    """Return True if a capitalised word other than a legal form follows a name: "Northwind Traders"."""
    match = re.match(r" (?:(?:&|and|of) )?([A-Z][\w'\u2019-]+)", text[end:])
    if not match or is_legal_form(match[1]) or match[1].lower() in _CALENDAR:
        return False
    return not _HEADLINE_VERB.match(match[1])


def row_contradicts(fact: Fact, sites: tuple[str, ...], places: tuple[str, ...]) -> bool:
    """Return True if a table row's other cells give another site or place than the entity's."""
    row_sites = {site for _, cell in fact.row_cells if (site := site_in(cell))}
    if sites and row_sites:
        return not row_sites & set(sites)
    stated = [cell for label, cell in fact.row_cells if concept_of_label(label) in {"city", "hq"}]
    return bool(places and stated) and not any(same_place(cell, place) for cell in stated for place in places)
