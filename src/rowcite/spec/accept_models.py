"""The keys that say how values are judged: `accept`, and `eval` for labels."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from rowcite.spec.value_types import Confidence, DomainList, Duration, Scalar, Tolerance, Whole

NOT_FOUND = ("unknown", "n/a", "not found", "not available")
"""Answers that count as null."""


class Part(BaseModel):
    """A mapping of a spec: unknown keys are errors, and it never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


RENAMED_ACCEPT_KEYS = {"otherwise": "on_reject"}
"""Old and new names of keys of `accept` and of its fields: the old ones are read, with a warning."""


class AcceptKeys(Part):
    """The rules for a value and its evidence."""

    min_confidence: Confidence = None
    missing_confidence: Literal["accept", "reject"] = "accept"
    min_citations: Whole = Field(default=0, ge=0)
    min_domains: Whole = Field(default=0, ge=0)
    trusted_domains: DomainList = ()
    distrusted_domains: DomainList = ()
    max_age: Duration = None
    not_found: tuple[str, ...] = NOT_FOUND
    on_reject: Literal["blank", "keep"] = "blank"


class AcceptField(AcceptKeys):
    """The rules for one field. A key that is set here replaces the one that is set for all fields."""

    required: StrictBool = False
    pattern: str | None = None
    minimum: Scalar | None = None
    maximum: Scalar | None = None
    one_of: tuple[Scalar, ...] | None = None


class Accept(AcceptKeys):
    """The rules by which values are accepted."""

    required: tuple[str, ...] = ()
    fields: dict[str, AcceptField] = {}
    rules: tuple[str, ...] = ()


Comparison = Literal[
    "exact",
    "text",
    "company",
    "url",
    "domain",
    "phone",
    "country",
    "state",
    "number",
    "money",
    "date",
    "boolean",
]


class EvalField(Part):
    """How a label is compared with a found value. A text is the comparison.

    `tolerance` is the share by which numbers may differ, `region` the country (ISO 3166) of phone numbers without a code.
    """

    compare: Comparison | None = None
    tolerance: Tolerance = None
    region: str | None = Field(default=None, pattern=r"^[A-Za-z]{2}$")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"compare": value} if isinstance(value, str) else value
