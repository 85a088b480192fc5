"""Normalise text for comparison: white space, accents, case, stems, legal forms, sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

_ODD_LETTERS = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "\u0131": "i", "\u2122": " "})  # fmt: skip
_SIGNS = str.maketrans({"&": " and ", "'": "", "\u2019": ""})
_LEGAL_FORMS = frozenset(["ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "corporation", "eood", "gmbh", "inc", "incorporated", "kft", "kg", "kgaa", "limited", "llc", "llp", "lp", "ltd", "ltda", "nv", "oy", "oyj", "plc", "pte", "pty", "sa", "sarl", "sas", "se", "sl", "spa", "spzoo", "srl", "sro", "ug"])  # fmt: skip
_SPLIT_FORMS = re.compile(r"\b(s p z o o|s a r l|s p a|s r l|s a|s l|a g|b v|n v|a s)$")
_STOP_WORDS = frozenset(["a", "an", "and", "are", "as", "at", "be", "by", "current", "do", "does", "for", "from", "full", "has", "have", "how", "in", "is", "it", "its", "latest", "main", "most", "name", "of", "on", "or", "recent", "such", "that", "the", "their", "this", "to", "up", "was", "were", "what", "when", "where", "which", "who", "whole", "with", "year", "yyyy", "mm", "dd", "value", "company", "companies", "organisation", "organization", "business", "entity"])  # fmt: skip
_ENDINGS = re.compile(r"(ational|ations|ation|ings|ing|ies|ied|ers|er|es|ed|s|y)$")
LABELLED_LINE = re.compile(r"^[-*•·\s]*(\w[^:\uff1a\n.!?]{0,60}?)\s*(?::\s+|\uff1a\s*|\s[\u2013—]\s+|\t\s*)(\S.*)$")  # fmt: skip
"""A line that begins with a label: "Employees: 240"."""


def collapse_spaces(text: str) -> str:
    """Return the text with every run of white space collapsed to one space."""
    return " ".join(text.split())


@lru_cache(maxsize=65536)
def strip_accents(text: str) -> str:
    """Return the text without accents; plain letters keep their case and count."""
    if text.isascii():
        return text
    spread = unicodedata.normalize("NFKD", text.translate(_ODD_LETTERS))
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Return lower-case words without accents: "Bjørn & Søn A/S" is "bjorn and son a s"."""
    return " ".join(re.findall(r"[^\W_]+", strip_accents(text).casefold().translate(_SIGNS)))


@lru_cache(maxsize=65536)
def core_name(name: str) -> str:
    """Return the folded name without its legal form: "ACME GmbH & Co. KG" is "acme"."""
    folded = fold(re.sub(r"\([^)]*\)\s*$", "", name))
    words = _SPLIT_FORMS.sub("", folded).split()
    while len(words) > 1 and (words[-1] in _LEGAL_FORMS or words[-1] == "and"):
        words.pop()
    return " ".join(words).removeprefix("the ")


def split_words(name: str) -> str:
    """Return the folded words of a key: "hqCity" and "hq_city" are "hq city"."""
    return fold(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))


def content_words(text: str) -> tuple[str, ...]:
    """Return the rough stems of the words that carry meaning, in order: "employees" and "employee" have the same."""
    words = [word for word in fold(text).split() if word not in _STOP_WORDS and len(word) > 1]
    return tuple(_ENDINGS.sub("", word) if len(word) > 4 else word.removesuffix("s") for word in words)


def has_phrase(folded: str, phrase: str) -> bool:
    """Return True if a folded text contains a folded phrase as whole words."""
    return f" {phrase} " in f" {folded} "


_ABBREVIATIONS = re.compile(r"(?:\b(?:Inc|Ltd|Lt|Gov|Gen|Col|Capt|Sgt|Rev|Sen|Hon|Co|Corp|St|Dr|Mr|Mrs|Ms|Prof|No|Nos|vs|etc|approx|ca|e\.g|i\.e|Jr|Sr|est|Est|Bros|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mio|Mrd|incl)|[(;,\u2013-]\s?(?:b|d|c|fl)|\b[A-Z]|\b(?:[A-Za-z]\.)+[A-Za-z])\.$")  # fmt: skip
_LONGEST_ABBREVIATION = 12
_BREAK = re.compile(r"(?<=[.!?])[\"”\u2019')\]]*\s+(?=[\"“\u2018'(\[]?[A-ZÀ-ÖØ-Þ0-9ŁŚŻ€$£])")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text with collapsed spaces, each exactly as written."""
    breaks = (match.span() for match in _BREAK.finditer(text))
    ends = [
        end for at, end in breaks if not _ABBREVIATIONS.search(text, max(at - _LONGEST_ABBREVIATION, 0), at)
    ]
    pieces = (text[start:end].strip() for start, end in pairwise([0, *ends, len(text)]))
    return list(filter(None, pieces))
