"""Words that must stand in a sentence for the phrases of a concept to have a chance: a quick look before slow patterns."""

from __future__ import annotations

from itertools import groupby

from rowcite.local.research.phrases import PHRASES, Phrase

# Folded to lower case; substrings, so "employ" stands for every form. Concepts left out are always tried.
_NEEDS: dict[str, tuple[str, ...]] = {
    "employees": ("people", "staff", "employ", "worker", "team", "colleague", "person", "fte", "full-time", "payroll", "count", "workforce", "of us", "men and women", "specialists", "professionals"),
    "founded": ("found", "establish", "start", "set up", "created", "formed", "born", "launch", "incorporat", "open", "began", "begin", "commenc", "back to", "since", "inception", "est."),
    "incorporated": ("incorporat",),
    "founders": ("found", "set up", "started"),
    "ceo": ("ceo", "chief exec", "managing director", "led by", "run by", "headed by"),
    "stage": ("seed", "series", "publicly", "listed", "quoted", "public", "float", "ipo", "initial", "trad", "bootstrap", "self-f", "never", "not"),
    "public": ("privat", "family", "famil", "listed", "traded", "shares", "owned", "exchange", "delist", "withdr", "left the stock"),
    "funding_total": ("total", "altogether", "in all", "to date", "so far", "overall", "rais"),
    "round_amount": ("rais", "clos", "secur", "announc", "landed"),
    "revenue": ("revenue", "turnover", "sales", "turned over", "turns over", "generated", "posted", "reported"),
    "hq": ("headquarter", "based", "office", "hq", "head quarters", "operates from", "works from", "run from", "mov", "relocat", "transfer", "shifted", "home base", "seat"),
    "industry": ("field", "business", "trade", "industry", "sector", "speciali", "line of", "work", "operat", "active", "home in", "leader", "player", "company", "nutshell", "phrase", "word"),
    "products": ("product", "range", "portfolio", "offering", "service", "solution", "brand", "platform", "tools"),
    "customers": ("customer", "client"),
    "investors": ("led by", "investors", "backed by", "funded by", "investment from", "backing from"),
    "parent": ("acquired", "bought", "taken over", "owned", "subsidiary", "part of", "parent"),
    "certifications": ("iso", "soc", "b corp", "pci", "hipaa", "cyber ess", "tisax", "haccp", "fsc", "brc", "iatf", "as 9100", "as9100"),
    "phone": ("phone", "tel", "call"),
    "email": ("@",),
}  # fmt: skip
_WITH_DIGITS = frozenset({"founded", "incorporated", "funding_total", "round_amount", "revenue", "phone"})


def _groups() -> tuple[tuple[str, tuple[str, ...], tuple[tuple[int, Phrase], ...]], ...]:
    """Return the phrases by concept, with their places in the table."""
    ordered = sorted(enumerate(PHRASES), key=lambda pair: pair[1].concept)
    return tuple(
        (concept, _NEEDS.get(concept, ("",)), tuple(group))
        for concept, group in groupby(ordered, key=lambda pair: pair[1].concept)
    )


_GROUPS = _groups()
_DIGITS = frozenset("0123456789")


def likely(text: str) -> list[Phrase]:
    """Return the phrases that may fit a sentence, in the order of the table."""
    low = text.lower()
    digits = not _DIGITS.isdisjoint(low)
    found: list[tuple[int, Phrase]] = []
    for concept, needs, phrases in _GROUPS:
        if concept in _WITH_DIGITS and not digits:
            continue
        for need in needs:
            if need in low:
                found += phrases
                break
    return [phrase for _, phrase in sorted(found, key=lambda pair: pair[0])]
