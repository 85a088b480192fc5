"""The policies that are tried: ladders of processors with bars of confidence, and the keys of a spec that make one. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations, product
from typing import Any, NamedTuple

from rowcite.spec.accept_models import Accept

MOST_POLICIES = 200
MOST_WITH_ONE_BAR = 120
"""The rest is for policies with a bar for each field."""

BARS: tuple[str | None, ...] = (None, "medium", "high")


class Policy(NamedTuple):
    """A ladder of processors, and the least confidence that is accepted.

    `bar` is for all fields, None for what the spec's own `accept` says; `bars` has the fields with another one. With
    `retry_for` a row is retried only if this field is rejected.
    """

    ladder: tuple[str, ...]
    bar: str | None = None
    bars: tuple[tuple[str, str], ...] = ()
    retry_for: str | None = None

    def __str__(self) -> str:
        """Return the policy in words: core at medium, pro for `ceo`."""
        first, *more = self.ladder
        bar = f" at {self.bar}" if self.bar else ""
        own = (
            f"{_names(self.bars, level)} at {level}" for level in sorted({level for _, level in self.bars})
        )
        retried = " and ".join(more)
        last = f", {retried} for `{self.retry_for}`" if self.retry_for else f", then {retried}" * bool(more)
        return f"{first}{bar}{''.join(f', {text}' for text in own)}{last}"

    def bar_of(self, field: str) -> str | None:
        """Return the bar of a field."""
        return dict(self.bars).get(field, self.bar)


def _names(bars: Sequence[tuple[str, str]], level: str) -> str:
    return " and ".join(f"`{name}`" for name, bar in bars if bar == level)


def grid(processors: Sequence[str], prices: Mapping[str, int], fields: Sequence[str]) -> list[Policy]:
    """Return policies with one bar for all fields: ladders from cheap to dear, short ones first.

    A ladder retries rows for any rejected field, or for one of `fields`.
    """
    cheap_first = sorted(dict.fromkeys(processors), key=lambda name: prices[name])
    ladders = [
        ladder for size in range(1, len(cheap_first) + 1) for ladder in combinations(cheap_first, size)
    ]
    policies = [
        Policy(ladder, bar, retry_for=field)
        for field, ladder, bar in product((None, *fields), ladders, BARS)
        if len(ladder) > 1 or field is None
    ]
    return policies[:MOST_WITH_ONE_BAR]


# --- the spec --------------------------------------------------------------------------------------------


def accept_of(policy: Policy, accept: Accept) -> Accept:
    """Return the `accept` of a spec under a policy."""
    return Accept.model_validate(_terms(policy, accept))


def yaml_block(policy: Policy, accept: Accept) -> str:
    """Return the keys of a spec that make a policy: the processor, and `escalate` and `accept` as a whole."""
    terms = _terms(policy, accept)
    processor, escalate = _flow(policy.ladder[0]), _flow(list(policy.ladder[1:]))
    lines = ["task:", f"  processor: {processor}", f"escalate: {escalate}"]
    return "\n".join([*lines, *(["accept:", *_block(terms)] if terms else [])])


def _terms(policy: Policy, accept: Accept) -> dict[str, Any]:
    """Return the keys of `accept` under a policy, as a spec has them."""
    terms = accept.model_dump(exclude_unset=True)
    fields: dict[str, dict[str, Any]] = terms.pop("fields", {})
    if policy.bar is not None:
        terms["min_confidence"] = policy.bar
        fields = {name: _without(own, "min_confidence") for name, own in fields.items()}
    for name, bar in policy.bars:
        fields[name] = {**fields.get(name, {}), "min_confidence": bar}
    if (field := policy.retry_for) is not None:
        terms["required"] = list(dict.fromkeys([*terms.get("required", ()), field]))
        fields[field] = _without(fields.get(field, {}), "required")
    fields = {name: own for name, own in fields.items() if own}
    return {
        name: _plain(value) for name, value in [*terms.items(), *([("fields", fields)] if fields else [])]
    }


def _without(own: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in own.items() if name != key}


def _plain(value: Any) -> Any:
    """Return a value of a spec as YAML has it."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return f"{value.days}d" if value == timedelta(value.days) else f"{value.total_seconds():.6f}s"
    return value


def _block(terms: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    for name, value in terms.items():
        if name == "fields":
            yield f"{indent}{name}:"
            yield from _block(value, indent + "  ")
        else:
            yield f"{indent}{_flow(name)}: {_flow(value)}"


_PLAIN_TEXT = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[A-Za-z][\w.-]*", re.ASCII | re.IGNORECASE
)


def _flow(value: Any) -> str:
    """Return a value as YAML on one line. JSON is YAML too."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(name)}: {_flow(item)}' for name, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) and _PLAIN_TEXT.fullmatch(value) else json.dumps(value)
