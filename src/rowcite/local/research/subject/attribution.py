"""Decide whether a statement, of the engine or of a quote, is about the entity or about another one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.text.normalise import core_name, fold, is_legal_form, strip_accents
from rowcite.local.research.text.places import same_place
from rowcite.local.research.text.urls import site_in

_OTHER = re.compile(
    r"\b(?:customers?|clients?|rivals?|competitors?|suppliers?|partners?|parent|subsidiar\w+|owner|investors?|acquirer|whose|whereas|while|unlike|"
    r"compared|than|bought|acquired|acquires|acquisition|sells? to|sold|serves|alongside|neighbours?|peers?)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^[\"“'\u2018(]?(?:we|our|us|it|its|the (?:company|firm|group|business|start-?up|manufacturer|maker|carrier|operator|provider|supplier|"
    r"utility|cooperative|co-operative|family|haulier|shipowner|shipyard|yard|team|consultancy|practice|developer|vendor|organi[sz]ation|society|"
    r"[a-z-]+ (?:company|firm|group|business|maker|manufacturer|operator|start-?up))|today|now|currently|at present|as of|with|in total|altogether|"
    r"to date|since|founded|established|started|headquartered|based|employing|in (?:19|20)\d\d|from its|from our)\b|"
    r"\b(?:we|it|the (?:company|firm|group|business))(?: (?:now|today|currently|also))?\s*$",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![.!?:] )(?<!^)(?<![\w])(?![A-Z]{2,3}\b)([A-ZÀ-ÖØ-Þ][\w'\u2019-]+)")
_CAPITALISED = re.compile(r"(?<!\w)[A-Z\d][\w'\u2019]*")
_AFTER_PREPOSITION = re.compile(
    r"(?:\b(?:in|from|at|on|near|of|since|around|by|between|and|to|across|for|under|outside|until|through|mid|early|late)\s+(?:the\s+)?|\()$",
    re.IGNORECASE,
)
_HEADLINE_WORD = re.compile(
    r"(?:Raises?|Wins?|Opens?|Appoints?|Names?|Launches|Closes|Secures|Hires|Reports?|Announces|Buys|Acquires|Moves|Plans|Is|Has|Was|To|In|On|"
    r"About|At|With|For|Recipes?|Reviews?|Profile|Facts|Guide|Overview|Wiki\w*|Annual|Report|Form|Official|Home|News|Careers|Jobs)$"
)
_APOSTROPHE = "['\u2019]?"  # "roes" also matches "Roe's", "dalva" also "D'Alva"
_RELATIVE_CLAUSE = re.compile(r"\b(?:which|who|whose|that)\b[^,;]*$")
# The subject of a verb right before a value; "The Company has" is the page's own.
_OTHER_SUBJECT = re.compile(
    r"(?:^|[\s,])(?!(?:It|We|They|He|She|This|There|Today|Now|Company|Firm|Group|Business)\b)[A-Z][\w'\u2019&-]+ "
    r"(?:had|has|have|employs?|employed|owns?|owned|makes?|made|reports?|reported|(?:is|was|were) (?:founded|established))\b[^;]*$"
)
_CALENDAR = frozenset(["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "ceo", "i", "founder", "chief", "managing", "director", "chair", "series"])  # fmt: skip


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
        return [one.span() for one in self.mention.finditer(even) if not _longer_name(even, one.end())]

    def names_another(self, text: str) -> bool:
        """Return True if a text names another entity of the corpus; one word must be capitalised, as "General" is."""
        words = fold(text).split()
        runs = (words[start : start + size] for size in (2, 3, 4) for start in range(len(words) - size + 1))
        capitals = fold(" ".join(_CAPITALISED.findall(strip_accents(text)))).split()
        return not self.others.isdisjoint(capitals) or any(" ".join(run) in self.others for run in runs)


@lru_cache(maxsize=4096)
def mention_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern for any of the folded names in text without accents, capitalised as names are."""
    if not names:
        return None
    words = {
        name: ("(?:and|&)" if word == "and" else _APOSTROPHE.join(word) for word in name.split())
        for name in names
    }
    longest_first = sorted((r"[\W_]+".join(one) for one in words.values()), key=len, reverse=True)
    return re.compile(rf"(?<![\w])(?=[A-Z\d]|[a-z]+[A-Z])(?i:{'|'.join(longest_first)})(?![\w])")


def _longer_name(text: str, end: int) -> bool:
    """Return True if a capitalised word other than a legal form follows a name: "Northwind Traders"."""
    match = re.match(r" (?:(?:&|and|of) )?([A-Z][\w'\u2019-]+)", text[end:])
    if not match or is_legal_form(match[1]) or match[1].lower() in _CALENDAR:
        return False
    return not _HEADLINE_WORD.match(match[1])


@dataclass(frozen=True)
class DocumentRole:
    """The relation of a document to the entity, as far as its statements are concerned."""

    own: bool  # on the entity's own site
    profile: bool  # presents the entity as its subject
    headline: bool  # names it in the title, or often


OWN_PAGE = DocumentRole(own=True, profile=True, headline=True)


def match_fact(fact: Fact, role: DocumentRole, names: EntityNames) -> Directness | None:
    """Return how directly a statement is about the entity; None if it is about another one."""
    if fact.subject:
        named = names.is_name(fact.subject) or _is_name_variant(fact, role, names)
        return fact.directness if named else None
    others = names.names_another(fact.heading) or OTHERS_HEADING.search(fact.heading)
    if others and not names.mentions(fact.heading):
        return None
    if fact.lead is not None:
        return _match_sentence(fact, fact.lead, role, names)
    if names.mentions(fact.heading) or role.profile or role.own:
        return fact.directness
    return Directness.PASSING if role.headline else None


def _is_name_variant(fact: Fact, role: DocumentRole, names: EntityNames) -> bool:
    """Return True if data on the own site uses a longer or shorter form of the name."""
    if not (role.own or role.profile) or fact.directness is not Directness.DATA:
        return False
    subject = core_name(fact.subject)
    least = 0 if role.own else 1  # spaces in the shorter name
    pairs = [pair for name in names.names for pair in ((subject, name), (name, subject))]
    return any(long.startswith(f"{short} ") and short.count(" ") >= least for long, short in pairs)


def _match_sentence(fact: Fact, lead: str, role: DocumentRole, names: EntityNames) -> Directness | None:
    """Judge a sentence by the name before its value, else by the name after it, else by the page's subject."""
    before, after = names.mentions(lead), names.mentions(fact.tail)
    if before:
        between = lead[before[-1][1] :]
        other = _RELATIVE_CLAUSE.search(lead[: before[-1][0]]) or _OTHER.search(between)
        named = names.names_another(between) or not names_no_other(between)
        return None if other or named else fact.directness
    if not may_be_about_page(lead, names) or not names_no_other(lead):
        return None
    tail = (fact.tail[: after[0][0]] if after else fact.tail).replace(fact.value, " ")
    if names.names_another(tail) or (after and _OTHER.search(tail)):
        return None
    if after:
        return fact.directness
    if not _PRONOUN.search(lead or "it"):
        return Directness.PASSING if role.own else None
    return fact.directness if role.own or role.profile else None


def may_be_about_page(lead: str, names: EntityNames) -> bool:
    """Return True if a sentence may be about a part of the page's entity: before its value it names no other that the corpus knows."""
    return not (names.names_another(lead) or _OTHER.search(lead) or _OTHER_SUBJECT.search(lead))


def names_no_other(lead: str) -> bool:
    """Return True if words contain no other name; places after a preposition are allowed."""
    even = strip_accents(lead)
    capitals = (match for match in _CAPITAL.finditer(even) if match[1].lower() not in _CALENDAR)
    return all(_AFTER_PREPOSITION.search(even[: match.start()]) for match in capitals)


def row_contradicts(fact: Fact, sites: tuple[str, ...], places: tuple[str, ...]) -> bool:
    """Return True if a table row's other cells give another site or place than the entity's."""
    row_sites = {site for _, cell in fact.row_cells if (site := site_in(cell))}
    if sites and row_sites:
        return not row_sites & set(sites)
    stated = [cell for label, cell in fact.row_cells if concept_of_label(label) in {"city", "hq"}]
    return bool(places and stated) and not any(same_place(cell, place) for cell in stated for place in places)
