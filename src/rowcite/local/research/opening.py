"""The sentence that says what a page's subject is, and what it says more of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from rowcite.local.research.document import Document

T = TypeVar("T")

_LONG = 40
_SENTENCE = re.compile(r"[.!?][\"\u201d')\]]*$|\b(?:is|was|are|were)\b")
_DEFINES = re.compile(
    r"^(?:The )?[A-Z\d].*? (?:is|was|are|were) (?:(?:an?|the|one) [^.]{3,}|[A-Z][\w.]*(?: [A-Z][\w.]*)*['\u2019]s [^.]{3,})\.$"
)
_COPULA = re.compile(
    r"^[^;]{2,160}? (?:is|was|are|were) (?:(?:an?|the|one of the|[A-Z][\w. ]{1,40}['\u2019]s) )(?P<rest>.*)$",
    re.DOTALL,
)
_JOINT = re.compile(
    r"(?=[,;\u2013\u2014]| (?:by|of|from|with|for|about|that|which|who|whose|in|on|at|to|as|near|starring|featuring|set|credited|performed|recorded|based|and)\b)"
)
_TURN = re.compile(
    r"\b(?:based on|adapt\w+|inspired|whose|sequel|prequel|remake|version|translation|edition|son|daughter|wife|husband|brother|sister|father|mother|cousin|"
    r"nephew|niece|child|but|while|when|where|after|before|then|he|she|they|it)\b|;"
)
_ADVERBS = re.compile(
    r"\s*(?:(?:and|which|that|who|is|was|are|were|first|originally|later|formally|officially|posthumously|anonymously|jointly|also) ?)*"
)
_MAKER = re.compile(
    r" (?:by|from|of) (?:(?:the )?[a-z][\w-]* ){0,4}[A-Z\u00c0-\u00de][\w.'\u2019-]*(?: (?:of|de|van|von|and|&|[A-Z\u00c0-\u00de][\w.'\u2019-]*))* "
)
_LIFE = re.compile(r"\([^()]*\b(?:born|1\d\d\d|20\d\d)\b|\bborn\b", re.IGNORECASE)
_LIVED = re.compile(
    r"\b(?:was born|she|he|his|her|died|married|graduated|studied|attended|native of)\b", re.IGNORECASE
)
_PLACE_KIND = re.compile(
    r"^[^.;]{2,120}? (?:is|was) (?:an?|the|one of the) (?:[\w-]+ ){0,4}?(?:city|town|village|country|state|province|county|commune|municipality|island|region|republic|kingdom|"
    r"capital|settlement|suburb|district|territory|parish|borough)\b"
)
_BRACKETS = re.compile(r"\([^()]*\)")


def _once(find: Callable[[Document], T]) -> Callable[[Document], T]:
    """Find out once a document: every field of every question about it asks."""
    name = f"_{find.__name__}"

    @wraps(find)
    def found(document: Document) -> T:
        kept = document.__dict__
        if name not in kept:
            kept[name] = find(document)
        return cast("T", kept[name])

    return found


@_once
def is_person(document: Document) -> bool:
    """Tell whether a page is about a person, by its opening sentence."""
    return bool(_LIFE.search(opening_of(document)[:300]) or _LIVED.search(document.text[:3000]))


@_once
def is_place(document: Document) -> bool:
    """Tell whether a page is about a town, a country or another place, by its opening sentence."""
    return _PLACE_KIND.search(opening_of(document)) is not None


@_once
def kind_of(document: Document) -> frozenset[str]:
    """Return the words that an opening sentence says what the subject is with: "is a silent film by" gives silent, film."""
    predicate = _COPULA.search(without_brackets(opening_of(document)))
    if predicate is None:
        return frozenset()
    return frozenset(re.findall(r"[\w-]+", _JOINT.split(predicate["rest"], maxsplit=1)[0].lower()))


@_once
def opening_of(document: Document) -> str:
    """Return the first full sentence of the text: it says what the subject is."""
    return next((s.text for s in document.sentences if is_opening(s.text) and not s.aside), "")


def is_opening(text: str) -> bool:
    """Tell whether a text is a sentence long enough to say what something is, or short and says "X is a Y"; titles are none."""
    return (len(text) > _LONG and bool(_SENTENCE.search(text))) or bool(_DEFINES.search(text))


def says_more(lead: str) -> bool:
    """Tell whether words such as "X is a short film by Bob Roe, first" go on to say more of what X is."""
    predicate = _COPULA.search(without_brackets(lead))
    if predicate is None or _TURN.search(predicate["rest"]):
        return False
    noun, *further = _JOINT.split(predicate["rest"], 1)
    if not further:
        return True
    last = predicate["rest"][len(noun) :].rpartition(",")
    return bool(last[1] and _ADVERBS.fullmatch(last[2])) or bool(
        _MAKER.fullmatch(predicate["rest"][len(noun) :])
    )


def without_brackets(text: str) -> str:
    """Drop brackets, those inside others first."""
    for _ in range(3):
        text = _BRACKETS.sub("", text)
    return text
