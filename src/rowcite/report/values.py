"""Values held against a field's type, as the merge holds them."""

from __future__ import annotations

from typing import Any

from rowcite.accept.coerce import coerce
from rowcite.spec.fields import Field


def coerce_or_none(value: Any, field: Field) -> Any:
    """Return a value as its field's type, None for what means null.

    Raises:
        ValueError: it is not of the type and cannot be made so without loss.
    """
    return coerce(value, field.type, frozenset())
