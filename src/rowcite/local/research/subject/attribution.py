"""Decide whether a statement, of the engine or of a quote, is about the entity or about another one."""

from __future__ import annotations

import re

from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.subject.entity import OTHER_CAPITALS, DocumentRole, Entity
from rowcite.local.research.text.normalise import core_name, strip_accents
from rowcite.local.research.text.places import same_place
from rowcite.local.research.text.urls import site_in

_OTHER = re.compile(r"\b(?:customers?|clients?|rivals?|competitors?|suppliers?|partners?|parent|subsidiar\w+|owner|investors?|acquirer|whose|whereas|while|unlike|compared|than|bought|acquired|acquires|acquisition|sells? to|sold|serves|alongside|neighbours?|peers?)\b", re.IGNORECASE)  # fmt: skip
_PRONOUN = re.compile(r"^[\"“'\u2018(]?(?:we|our|us|it|its|the (?:company|firm|group|business|start-?up|manufacturer|maker|carrier|operator|provider|supplier|utility|cooperative|co-operative|family|haulier|shipowner|shipyard|yard|team|consultancy|practice|developer|vendor|organi[sz]ation|society|[a-z-]+ (?:company|firm|group|business|maker|manufacturer|operator|start-?up))|today|now|currently|at present|as of|with|in total|altogether|to date|since|founded|established|started|headquartered|based|employing|in (?:19|20)\d\d|from its|from our)\b|\b(?:we|it|the (?:company|firm|group|business))(?: (?:now|today|currently|also))?\s*$", re.IGNORECASE)  # fmt: skip
_CAPITAL = re.compile(r"(?<![.!?:] )(?<!^)(?<![\w])(?![A-Z]{2,3}\b)([A-ZÀ-ÖØ-Þ][\w'\u2019-]+)")
_AFTER_PREPOSITION = re.compile(r"(?:\b(?:in|from|at|on|near|of|since|around|by|between|and|to|across|for|under|outside|until|through|mid|early|late)\s+(?:the\s+)?|\()$", re.IGNORECASE)  # fmt: skip
_RELATIVE_CLAUSE = re.compile(r"\b(?:which|who|whose|that)\b[^,;]*$")
# The subject of a verb right before a value; "The Company has" is the page's own.
_OTHER_SUBJECT = re.compile(r"(?:^|[\s,])(?!(?:It|We|They|He|She|This|There|Today|Now|Company|Firm|Group|Business)\b)[A-Z][\w'\u2019&-]+ (?:had|has|have|employs?|employed|owns?|owned|makes?|made|reports?|reported|(?:is|was|were) (?:founded|established))\b[^;]*$")  # fmt: skip


def match_fact(fact: Fact, role: DocumentRole, entity: Entity) -> Directness | None:
    """Return how directly a statement is about the entity; None if it is about another one."""
    if fact.subject:
        named = entity.is_name(fact.subject) or _is_name_variant(fact, role, entity)
        return fact.directness if named else None
    others = entity.names_another(fact.heading) or OTHERS_HEADING.search(fact.heading)
    if others and not entity.mentions(fact.heading):
        return None
    if fact.lead is not None:
        return _match_sentence(fact, fact.lead, role, entity)
    if entity.mentions(fact.heading) or role >= DocumentRole.PROFILE:
        return fact.directness
    return Directness.PASSING if role is DocumentRole.HEADLINE else None


def _is_name_variant(fact: Fact, role: DocumentRole, entity: Entity) -> bool:
    """Return True if data on the own site uses a longer or shorter form of the name."""
    if role < DocumentRole.PROFILE or fact.directness is not Directness.DATA:
        return False
    subject = core_name(fact.subject)
    least = 0 if role is DocumentRole.OWN else 1  # spaces in the shorter name
    pairs = [pair for name in entity.spoken for pair in ((subject, name), (name, subject))]
    return any(long.startswith(f"{short} ") and short.count(" ") >= least for long, short in pairs)


def _match_sentence(fact: Fact, lead: str, role: DocumentRole, entity: Entity) -> Directness | None:
    """Judge a sentence by the name before its value, else by the name after it, else by the page's subject."""
    before, after = entity.mentions(lead), entity.mentions(fact.tail)
    if before:
        between = lead[before[-1][1] :]
        other = _RELATIVE_CLAUSE.search(lead[: before[-1][0]]) or _OTHER.search(between)
        named = entity.names_another(between) or not names_no_other(between)
        return None if other or named else fact.directness
    if not may_be_about_page(lead, entity) or not names_no_other(lead):
        return None
    tail = (fact.tail[: after[0][0]] if after else fact.tail).replace(fact.value, " ")
    if entity.names_another(tail) or (after and _OTHER.search(tail)):
        return None
    if after:
        return fact.directness
    if not _PRONOUN.search(lead or "it"):
        return Directness.PASSING if role is DocumentRole.OWN else None
    return fact.directness if role >= DocumentRole.PROFILE else None


def may_be_about_page(lead: str, entity: Entity) -> bool:
    """Return True if a sentence may be about a part of the page's entity: before its value it names no other that the corpus knows."""
    return not (entity.names_another(lead) or _OTHER.search(lead) or _OTHER_SUBJECT.search(lead))


def names_no_other(lead: str) -> bool:
    """Return True if words contain no other name; places after a preposition are allowed."""
    even = strip_accents(lead)
    capitals = (match for match in _CAPITAL.finditer(even) if match[1].lower() not in OTHER_CAPITALS)
    return all(_AFTER_PREPOSITION.search(even[: match.start()]) for match in capitals)


def row_contradicts(fact: Fact, entity: Entity) -> bool:
    """Return True if a table row's other cells give another site or place than the entity's."""
    row_sites = {site for _, cell in fact.row_cells if (site := site_in(cell))}
    if entity.sites and row_sites:
        return not row_sites & set(entity.sites)
    stated = [cell for label, cell in fact.row_cells if concept_of_label(label) in {"city", "hq"}]
    near = any(same_place(cell, place) for cell in stated for place in entity.places)
    return bool(entity.places and stated) and not near
