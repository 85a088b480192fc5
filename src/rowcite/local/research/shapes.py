"""How values of each shape are written in running text: as patterns that name the value `v`."""

from __future__ import annotations

from rowcite.local.research.numbers import APPROXIMATELY, MONEY, NUMBER

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_CAP = r"[A-ZÀ-ÖØ-ÞŁŚŻČŠŽĐİ]"
_WORD = rf"{_CAP}[\w'\u2019.&-]*"
_LINK = r"(?: (?:of|the|for|de|la|du|des|von|van|der|del|al|da|di|y|bin|ibn|upon|on|am))"
NAME = rf"{_WORD}(?:(?:{_LINK}{{0,2}}| &) {_WORD})*"
_NO_PERSON = r"(?:The|Its?|Our|In|At|On|His|Her|He|She|We|They|This|That|These|Since|And|But|As|By|For|From|With|After|Before|During|When|While|American|British|English|French|German)\b"
_PART = rf"(?:(?![\w'\u2019]+-(?:born|based|language|speaking|trained|style)\b){_CAP}[\w'\u2019-]+|{_CAP}\.)"
_ALIAS = r"(?:[\"\u201c][^\"\u201c\u201d]{2,20}[\"\u201d] )?"  # John "Bob" Roe
PERSON = rf"(?!{_NO_PERSON})(?:(?:Dr|Sir|Dame|Prof|Lord|Lady)\.? )?{_PART}(?: (?:van |von |de |der |den |del |di |da |dos |al |bin |ibn |la |le |O')*{_ALIAS}{_PART}){{1,3}}(?![\w-])(?!-(?:born|based))"
_PLACE_PART = rf"(?!(?:{_MONTH})\b){_WORD}(?:(?: (?:of|de|la|le|upon|on|am|an der|sur|the|do|da)){{0,2}} {_WORD}){{0,3}}"
PLACE = rf"{_PLACE_PART}(?:, {_PLACE_PART}){{0,3}}"
DATE = rf"(?:\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTH}),? \d{{4}}|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{4}}-\d\d-\d\d)"
YEAR = r"(?<![\d,.])(?:1[0-9]|20)\d\d(?![\d,]\d|\d|s\b| ?%)"
AREA = r"(?:square )?(?:km2|km²|square (?:kilomet(?:re|er)s?|miles?)|sq\.? (?:km|mi(?:les)?)|mi²|hectares?|ha|acres?)\b"
LENGTH = r"(?:met(?:re|er)s?|m|feet|ft|kilomet(?:re|er)s?|km|miles?|cm|centimet(?:re|er)s?)(?![\w²])"
_AMOUNT = rf"(?:(?i:{APPROXIMATELY})\s*)?(?i:{NUMBER})"
_WHOLE = r"(?![\d%]|[.,]\d| ?%| ?per ?cent\b)"  # the number ends here, and is no share
_PHRASE = r"(?!(?:and|or|but|which|who|that|with|in|on|at|from|to|by|as|of|is|was|are|were|for|since|the|an?|its|not|also|now)\b)[^\W\d_][\w'\u2019-]*(?: (?!(?:and|or|but|which|who|that|with|in|on|at|from|to|by|as|is|was|are|were|for|since|published|edited|founded|established|where|when|while|during|until|because|has|have|had|including|such)\b)[\w'\u2019-]+){0,4}"

_NOTE = r"(?: \([^(),;]{1,30}\))?"  # "The Mill (1990)"

_SHAPES = {
    "number": rf"(?<![\d.,]){_AMOUNT}{_WHOLE}",
    "money": rf"(?i:{MONEY})",
    "area": rf"{_AMOUNT}\s?{AREA}",
    "length": rf"{_AMOUNT}[\s-]?{LENGTH}",
    "year": YEAR,
    "date": rf"(?:{DATE}|(?:{_MONTH}) (?:of )?{YEAR}|{YEAR})",
    "person": PERSON,
    "place": PLACE,
    "name": rf"{NAME}(?:(?<=s) and {_WORD}(?= \())?",
    "names": rf"{NAME}{_NOTE}(?:(?:, (?:and )?| and | & )(?:the )?{NAME}{_NOTE})*",
    "people": rf"{PERSON}(?:(?:, (?:and )?| and | & ){PERSON})*",
    "phrase": _PHRASE,
    "phrases": rf"{_PHRASE}(?:(?:, (?:and |or )?| and | & ){_PHRASE})*",
    "words": r"[^.;:()]{3,90}",
}


def value_of(shape: str) -> str:
    """Return the pattern of a shape's value, as the group `v`."""
    return f"(?P<v>{_SHAPES[shape]})"
