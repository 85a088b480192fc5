"""Measures with their units: "28,748 km²" in the unit that a field asks for."""

from __future__ import annotations

import re

from rowcite.local.research.numbers import number_in

_UNITS = (
    (r"km2|km²|sq\.? km|square kilomet(?:re|er)s?", "area", 1.0),
    (r"mi²|sq\.? mi(?:les)?|square miles?", "area", 2.589988),
    (r"hectares?|ha", "area", 0.01),
    (r"acres?", "area", 0.00404686),
    (r"kilomet(?:re|er)s?|km", "length", 1000.0),
    (r"centimet(?:re|er)s?|cm", "length", 0.01),
    (r"miles?", "length", 1609.344),
    (r"feet|ft|foot", "length", 0.3048),
    (r"met(?:re|er)s?|m", "length", 1.0),
)
_PATTERNS = tuple(
    (re.compile(rf"(?<![^\W\d_])(?:{unit})(?![\w²])", re.IGNORECASE), kind, size)
    for unit, kind, size in _UNITS
)


def unit_in(text: str) -> tuple[str, float] | None:
    """Return the kind and size (in km² or m) of the first unit that a text names, the most special first."""
    return next(((kind, size) for pattern, kind, size in _PATTERNS if pattern.search(text)), None)


def measured(text: str, asked: str) -> float | None:
    """Return a measure in the unit that `asked` names, else in its own; None for another kind of unit or no number."""
    amount, stated, wanted = number_in(_before_unit(text)), unit_in(text), unit_in(asked)
    if amount is None or stated is None:
        return None
    if wanted is None:
        return amount.value
    return float(f"{amount.value * stated[1] / wanted[1]:.6g}") if stated[0] == wanted[0] else None


def _before_unit(text: str) -> str:
    """Return what stands before a text's first unit, so that "420 m" is no 420 million."""
    found = [match.start() for pattern, _, _ in _PATTERNS for match in [pattern.search(text)] if match]
    return text[: min(found)] if found and re.search(r"\d", text[: min(found)]) else text
