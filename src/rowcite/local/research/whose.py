"""Whose a statement in the idioms of a field is: the entity's, somebody else's, or nobody's any more."""

from __future__ import annotations

import re

from rowcite.local.research.cues import Cue, Search
from rowcite.local.research.document import Sentence
from rowcite.local.research.subject import Speaker, spoken_of
from rowcite.local.research.text import fold
from rowcite.local.research.wants import Want

_PAST = re.compile(
    r"\b(?:former(?:ly)?|until|previous(?:ly)?|then|late|ex|deposed|succeeded|ousted|acting|interim|once|first)\b|\b1[0-8]\d\d\b",
    re.IGNORECASE,
)
_DATED = re.compile(r"\b(?:1\d\d\d|20\d\d)s?\b|\bin \d{4}\b")
_UNDER = re.compile(r"\b(?:Lt\.|Lieutenant|Deputy|Vice|Assistant|Former|Acting)[ -]$", re.IGNORECASE)
_AS_OF = re.compile(r"\b(?:[Aa]s of|[Ss]ince) (?:[A-Z][a-z]+ )?\d{4}\b")
_DENIED = re.compile(
    r"\b(?:not|never|neither|nor|no longer|nearly|almost|may|might|possibly|perhaps|allegedly|supposedly|would have|could have|refused to|planned to|nominated for|engaged)\b(?! only\b)"
)
_ENDED = re.compile(
    r"[^.;]{0,50}?\b(?:resigned|until|died|was succeeded|stepped down|was ousted|was overthrown|lost|fled|between|from \d{4} to|\(\d{4}\s*\u2013)|^ (?:again )?in (?:\w+ )?\d{4}"
)
_BEFORE_SUBJECT = re.compile(
    r"(?:with\b|at(?! the (?:\d{4}|time|last|latest)\b)|covering|having|spanning|comprising|boasting)\b",
    re.IGNORECASE,
)
_THE_SAME = re.compile(r"(?:(?:it|he|she|they|we)\b|(?:the|this) [a-z]+\b(?! of ))")
_OF_PLACE = re.compile(
    r"^$|\b(?:[Tt]he|[Tt]his|[Ii]ts?) ?(?:present |modern |current |original )?(?:city|town|village|settlement|colony|place|country|state|nation|republic|kingdom|county|municipality|commune|parish|"
    r"district|borough|province|territory|region|capital|area|port|community|fort|island|site)\b"
)
_NOW = re.compile(r"\b(?:current(?:ly)?|incumbent|presently)\b")
_OWN_KIND = re.compile(
    r"(?:the|this) (?:[\w-]+ )??([\w-]+)(?: (?:is|was|were|has been|had been))?\s*$", re.IGNORECASE
)
_OTHERS_PARTNER = re.compile(
    r"(?<!\bin )(?<!\bat )(?<!\bof )(?<!\bto )\b[A-Z][\w.'\u2019-]+ [A-Z][\w'\u2019-]+,? (?:[^.;,]{2,60} )?(?:and|with|as well as) (?:his|her)\b"
)


def bearer(match: re.Match[str], sentence: Sentence, voice: Speaker, want: Want, cue: Cue) -> str | None:
    """Tell whom a match speaks of; "the capital of X" speaks of X."""
    groups = match.groupdict()
    holder = groups.get("of") or groups.get("of2")
    if holder and not voice.is_entity(holder):
        return None
    lead = sentence.text[: match.start()]
    if want.current and (_UNDER.search(lead) or cue.loose):
        return None  # "Prime Minister Ann Lee" may be of any year
    head = sentence.text[: match.start("v")]
    if want.relation == "spouse" and _OTHERS_PARTNER.search(_after_mention(head, voice)):
        return None  # "directed Mary Roe and her husband, ..."
    if (want.current and not _NOW.search(match[0]) and _is_past(sentence.text, match)) or _DENIED.search(
        sentence.text[max(0, match.start() - 20) : match.start("v")]
    ):
        return None
    if (
        _BEFORE_SUBJECT.match(head)
        and "," not in head
        and not voice.spans(head)
        and not _follows(sentence.text[match.end() :], voice)
    ):
        return None
    spoken = spoken_of(sentence.text, match.start(), voice, want.relation)
    if spoken is None and holder and voice.is_entity(holder):
        return "named"
    return spoken


def is_of_others(search: Search, lead: str, voice: Speaker) -> bool:
    """Tell whether the words right before a statement make it one about something else."""
    others = search.relation.others if search.relation is not None else None
    if others is None:
        return False
    for start, end in reversed(voice.spans(lead)):
        lead = f"{lead[:start]}itself{lead[end:]}"  # "the Battle of Ulm" is no battle of something else
    found = others.search(lead)
    if found is None:
        return False
    own = _OWN_KIND.match(found[0])
    return not (own and fold(own[1]) in voice.kind)  # "the film was directed by ...", of a film


def is_of_place(sentence: Sentence, start: int, voice: Speaker) -> bool:
    """Tell whether a statement that names nobody is about the place: "the town was ...", or "it" in the first section."""
    lead = sentence.text[:start]
    early = not sentence.heading or voice.is_title(sentence.heading)
    return bool(_OF_PLACE.search(lead)) or (early and lead.startswith("It "))


def _after_mention(lead: str, voice: Speaker) -> str:
    """Return what stands after the entity's last mention in the words before a statement."""
    spans = voice.spans(lead)
    return lead[spans[-1][1] :] if spans else lead


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
