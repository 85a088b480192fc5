"""Judged pairs and policies as rows of frames, whose columns have the same types whatever their values. Pure."""

from __future__ import annotations

from typing import Any

import polars as pl

from rowcite.evaluation.judging import Pair
from rowcite.evaluation.truth import NotThese


def pair_as_dict(pair: Pair) -> dict[str, Any]:
    """Return a judged pair as JSON."""
    return {
        "key": pair.record,
        "row": pair.row,
        "field": pair.field,
        "label": None if isinstance(pair.label, NotThese) else pair.label,
        "not": list(pair.label.values) if isinstance(pair.label, NotThese) else [],
        "found": pair.found,
        "outcome": pair.outcome.value,
        "found_right": pair.found_right,
        "confidence": pair.confidence,
        "rejection": pair.rejection,
        "urls": list(pair.urls),
    }


def texts_of(pair: Pair) -> dict[str, Any]:
    """Return the values of a pair as texts: those of one frame have several types."""
    label, wrong = (None, pair.label.values) if isinstance(pair.label, NotThese) else (pair.label, ())
    return {
        "label": None if label is None else str(label),
        "not": list(map(str, wrong)),
        "found": None if pair.found is None else str(pair.found),
    }


_TEXT = pl.String()
PAIRS = {
    **dict.fromkeys(("processor", "key"), _TEXT),
    "row": pl.Int64(),
    **dict.fromkeys(("field", "label"), _TEXT),
    "not": pl.List(_TEXT),
    **dict.fromkeys(("found", "outcome"), _TEXT),
    "found_right": pl.Boolean(),
    **dict.fromkeys(("confidence", "rejection"), _TEXT),
    "urls": pl.List(_TEXT),
}
POLICIES = {
    "policy": _TEXT,
    **dict.fromkeys(("cost_per_row_usd", "found"), pl.Float64()),
    **dict.fromkeys(("certified", "chosen"), pl.Boolean()),
    "yaml": _TEXT,
}
"""The types of the columns of the frames, whatever their values."""
