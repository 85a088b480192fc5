"""What a statement says: its value put as the field takes it, and how directly and surely it is said."""

from __future__ import annotations

import re

from rowcite.local.research.cues import Cue
from rowcite.local.research.document import Fact, How, Sentence
from rowcite.local.research.kinds.people import FIELD_OF
from rowcite.local.research.places import country_code, demonym_code, is_building, nationality_of, settled
from rowcite.local.research.relations import BY_KIND, DATED
from rowcite.local.research.subject import Speaker
from rowcite.local.research.text import fold
from rowcite.local.research.wants import Want
from rowcite.local.research.when import year_spoken_of

# Of a life, "she" on a page about a person leaves little doubt; elsewhere only the name makes a statement sure.
_LIVES = frozenset(
    {"birth_date", "birth_place", "death_date", "death_place", "alma_mater", "spouse", "birth_name"}
)
_SETTLED = frozenset({"birth_place", "death_place"})
_TITLED = re.compile(
    r"(^|, (?:and )?| and )(?:(?:Republican|Democrat|Democratic|Labour|Conservative|Liberal|Independent|Socialist|Senator|Justice|President|Prime Minister|Governor|Mayor|Commander|Captain|Colonel|General|"
    r"Admiral|Lieutenant|Queen|King|Actor|Actress) )+(?=[A-Z])"
)
_CALLING = re.compile(
    r"(^|, (?:and )?| and )(?:(?!and\b|von\b|van\b|de\b|di\b|da\b|al\b|bin\b)[a-z][\w-]* ){1,4}(?=[A-Z])"
)
_VERBAL = r"\w+ing\b|not\b|no\b"
_ANY_KIND = re.compile(r"\b(?:genres|styles|kinds|elements|influences|different|various|many|several)\b")
_QUOTED = re.compile(r"[\"\u201c\u201d]")
_OF_OTHERS = frozenset(
    {
        "largest_city",
        "country",
        "location",
        "owner",
        "operator",
        "publisher",
        "presenter",
        "author",
        "founders",
        "developer",
        "manufacturer",
        "spouse",
        "mouth",
        "source",
        "capital",
    }
)
_AT = re.compile(r"\bat (?:the )?$")  # "at Castle Hill, Ulm" may name a house
_AS_WHOM = re.compile(r" as [^,;]*?(?=, | and [A-Z]|$)")
# What looks like a value and says nothing: "its currency, having dropped by half", "combines different genres", "its population was
# one of the fastest growing".
_EMPTY = {
    "currency": re.compile(rf"^(?:{_VERBAL})"),
    "genre": _ANY_KIND,
    "population": re.compile("^one$", re.IGNORECASE),
}
_PRONOUN = re.compile(
    r"(?:he|she|it|they|we|you|i|his|her|its|their|this|that|these|those|who|which)", re.IGNORECASE
)
_SHORT = 9  # words
_LIKE_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")


def tells(value: str, want: Want, voice: Speaker) -> bool:
    """Tell whether a value says anything: a name at birth that is no title, a demonym that is formed from the name."""
    if want.kind in {"integer", "number"} and want.relation not in DATED and _LIKE_YEAR.fullmatch(value):
        return False  # "the population as of 2016"
    known = BY_KIND.get(want.relation)
    if known is not None and known.nouns and re.search(rf"\b(?:{known.nouns})\b", value, re.IGNORECASE):
        return False  # "the currency was the worst performing currency"
    said_nothing = _EMPTY.get(want.relation)
    if said_nothing is not None and said_nothing.search(value):
        return False
    if _PRONOUN.fullmatch(value) or (not want.relation and voice.is_title(value)):
        return False  # "it is a member of ..."
    if want.relation == "nationality":
        return bool(nationality_of(value))  # no "National League" player is of that nation
    if want.relation in _SETTLED and demonym_code(value):
        return False
    if want.relation == "birth_name":
        return not voice.is_title(value) and not _QUOTED.search(value)
    if want.relation in _OF_OTHERS and fold(value) in voice.names:
        return False  # the largest city of Greece is not Greece
    return want.relation != "demonym" or _is_demonym_of(value, voice)


def _is_demonym_of(value: str, voice: Speaker) -> bool:
    """Tell whether inhabitants are called so: as the country's are known to be, else by a word formed from the name."""
    code = next((code for name in voice.names if (code := country_code(name))), "")
    known = demonym_code(value)
    return known == code if code and known else voice.is_formed_from(value)


def fact_of(  # noqa: PLR0913  # a match, where it stands, and what it is to fill
    match: re.Match[str], sentence: Sentence, cue: Cue, want: Want, voice: Speaker, *, named: bool
) -> Fact:
    """Return the fact that a match states; `named` tells whether the sentence names the entity."""
    within = match.groupdict().get("within")
    value = _tidy(_trimmed(match["v"].strip(" ,.;"), voice), want)
    if want.relation in _SETTLED:
        value = settled(value, (within or "").strip(" ,.;"))
    vague = want.relation in _SETTLED and (
        is_building(value)
        or ("," in value and _AT.search(match[0][: match.start("v") - match.start()]) is not None)
    )
    return Fact(
        label=want.relation or want.words,
        value=value,
        excerpt=sentence.text,
        how=How.LOOSE
        if cue.loose or (vague and is_building(value)) or _rambles(value, want)
        else How.SENTENCE,
        heading=sentence.heading,
        as_of=year_spoken_of(sentence.text) if want.changes else "",
        block=sentence.block,
        sure=cue.sure
        and not vague
        and not (want.relation in _SETTLED and country_code(value))
        and not want.changes
        and (named or want.relation in _LIVES),
    )


def _rambles(value: str, want: Want) -> bool:
    """Tell whether what somebody is known for is told at length, so that its items are pieces of a sentence."""
    return want.relation == "known_for" and len(value.split()) > _SHORT


def _trimmed(value: str, voice: Speaker) -> str:
    """Drop the entity from the end of a value: "Ulm, Doe" of "Born in Ulm, Doe grew up poor"."""
    head, comma, tail = value.rpartition(", ")
    return head if comma and voice.spans(tail) else value


def _tidy(value: str, want: Want) -> str:
    """Drop what goes with names and is none: "pilot Bob Roe" is Bob Roe, "Otter Medal in 1980" the medal."""
    bare = re.sub(r"^[Tt]he (?=[a-z])", "", value)
    shape = BY_KIND[want.relation].shape if want.relation in BY_KIND else ""
    if want.relation == "starring":
        bare = _AS_WHOM.sub("", bare)
    if shape == "people":
        return _TITLED.sub(r"\1", _CALLING.sub(r"\1", bare))
    if shape == "person" or want.current:
        return _TITLED.sub(r"\1", bare)
    if want.relation == "alma_mater":
        return re.sub(
            r", (?:Oxford|Cambridge|London)\b", "", re.sub(r",? and (?:then )?at (?:the )?", "; ", bare)
        )
    if want.relation == "nationality":
        return nationality_of(bare)
    if want.relation == "field":
        return FIELD_OF.get(bare, bare)
    if want.relation == "awards":
        return re.sub(
            r" in \d{4}\b",
            "",
            re.sub(r"((?:^|, |and ))(?:two|three|four|five|six|several|many|\d+) (?=[A-Z])", r"\1", bare),
        )
    return bare
