"""The policy of a spec's `accept`, compiled once: the checks of each field, and the rules over a row. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rowcite.accept.checks import Check, InvalidCheck, evidence_checks, value_checks
from rowcite.accept.evidence import Domains
from rowcite.accept.expressions import RuleError
from rowcite.accept.rules import Rule, parse
from rowcite.spec.accept_models import Accept, AcceptField
from rowcite.spec.fields import Field
from rowcite.wording import did_you_mean

Problem = tuple[tuple[str | int, ...], str]
"""A path in the spec, and a message."""


class FieldPolicy(NamedTuple):
    """The policy of one field. `nulls` are the texts that mean null; with `keep` a rejected value stays in the table."""

    field: Field
    nulls: frozenset[str]
    required: bool
    keep: bool
    distrusted: Domains | None
    checks: tuple[Check, ...]


class AcceptancePolicy(NamedTuple):
    """The policy of a row: each field's policy, in the fields' order, and the rules."""

    fields: tuple[FieldPolicy, ...]
    rules: tuple[Rule, ...]

    @property
    def reads_texts(self) -> bool:
        """Return True if a check depends on the excerpts of citations."""
        return any(check.reads_texts for part in self.fields for check in part.checks)


def acceptance_policy(fields: tuple[Field, ...], accept: Accept) -> AcceptancePolicy:
    """Compile `accept` for these fields. Call it once for a table: it costs more than judging an answer.

    Raises:
        ValueError: `policy_problems` would yield a problem.
    """
    return AcceptancePolicy(
        tuple(_field_policy(field, terms_of(field.name, accept)) for field in fields),
        tuple(parse(text, fields) for text in accept.rules),
    )


def policy_problems(fields: tuple[Field, ...], accept: Accept) -> Iterator[Problem]:
    """Yield every problem of `accept` with these fields."""
    names = [field.name for field in fields]
    for index, name in enumerate(accept.required):
        if name not in names:
            yield ("accept", "required", index), _no_field(name, names)
    for name in accept.fields:
        if name not in names:
            yield ("accept", "fields", name), _no_field(name, names)
    for field in fields:
        try:
            _field_policy(field, terms_of(field.name, accept))
        except InvalidCheck as error:
            yield ("accept", "fields", field.name, error.key), f"`{error.key}` of `{field.name}`: {error}"
    for index, text in enumerate(accept.rules):
        try:
            parse(text, fields)
        except RuleError as error:
            yield ("accept", "rules", index), f"`{text if len(text) <= 60 else text[:57] + '...'}`: {error}"
    yield from _both_ways(accept)


def terms_of(name: str, accept: Accept) -> AcceptField:
    """Return the keys of `accept` for one field: its own, else those set for all fields."""
    own = accept.fields.get(name, AcceptField())
    shared = {key: getattr(accept, key) for key in _SHARED if key not in own.model_fields_set}
    if "required" not in own.model_fields_set:
        shared["required"] = name in accept.required
    return own.model_copy(update=shared)


_SHARED = AcceptField.model_fields.keys() & Accept.model_fields.keys() - {"required"}


def _field_policy(field: Field, terms: AcceptField) -> FieldPolicy:
    distrusted = Domains(terms.distrusted_domains) if terms.distrusted_domains else None
    evidence = list(evidence_checks(terms, distrusted))
    if field.type.kind == "array":
        evidence = [
            check._replace(requires=f"{check.requires}, for each element", for_each=True)
            for check in evidence
        ]
    return FieldPolicy(
        field,
        frozenset(text.strip().lower() for text in terms.not_found),
        terms.required,
        terms.on_reject == "keep",
        distrusted,
        (*evidence, *value_checks(field, terms)),
    )


def _no_field(name: str, names: list[str]) -> str:
    return f"`{name}` is not a field{did_you_mean(name, names)}. Fields: {', '.join(names)}"


def _both_ways(accept: Accept) -> Iterator[Problem]:
    for path, terms in [((), accept), *((("fields", name), own) for name, own in accept.fields.items())]:
        for index, domain in enumerate(terms.distrusted_domains):
            if domain in terms.trusted_domains:
                yield (
                    ("accept", *path, "distrusted_domains", index),
                    f"`{domain}` is both trusted and distrusted: remove it from one list",
                )
