"""Paragraphs to sentences."""

from __future__ import annotations

import re

_ABBREVIATIONS = re.compile(
    r"(?:\b(?:Inc|Ltd|Lt|Gov|Gen|Col|Capt|Sgt|Rev|Sen|Hon|Co|Corp|St|Dr|Mr|Mrs|Ms|Prof|No|Nos|vs|etc|approx|ca|e\.g|i\.e|Jr|Sr|est|Est|Bros|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mio|Mrd|incl)|[(;,\u2013-]\s?(?:b|d|c|fl)|"
    r"\b[A-Z]|\b(?:[A-Za-z]\.)+[A-Za-z])\.$"
)
_BREAK = re.compile(r"(?<=[.!?])[\"”\u2019')\]]*\s+(?=[\"“\u2018'(\[]?[A-ZÀ-ÖØ-Þ0-9ŁŚŻ€$£])")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a squashed text, each exactly as it stands there."""
    found, start = [], 0
    for match in _BREAK.finditer(text):
        piece = text[start : match.start()]
        if _ABBREVIATIONS.search(piece):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    return [*found, text[start:].strip()] if text[start:].strip() else found
