"""What some labels say about all rows: intervals of shares, a lower bound, and the number of labels that are needed. Pure.

Wilson (1927) for shares, Clopper and Pearson (1934) where a bound must never promise too much, the bootstrap over rows for
ratios of sums. Weights count by Kish's effective number of labels.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

from rowcite.model import Share

_Z = NormalDist().inv_cdf(0.975)
_RESAMPLES, _MANY_ROWS = (
    400,
    2_000,
)  # a quarter of the resamples for many rows, whose interval is narrow anyway


def share(hits: Sequence[bool], weights: Sequence[float] | None = None) -> Share:
    """Return the share of `hits`, with Wilson's interval. `weights` are the rows that each label stands for."""
    if not hits:
        return Share()
    weights = weights or [1.0] * len(hits)
    total = sum(weights)
    value = sum(weight for hit, weight in zip(hits, weights, strict=True) if hit) / total
    low, high = wilson(value, total**2 / sum(weight**2 for weight in weights))
    return Share(value, low, high, len(hits))


def wilson(value: float, n: float) -> tuple[float, float]:
    """Return the 95% interval of a share of `n` labels."""
    middle = (value + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(value * (1 - value) / n + _Z**2 / (4 * n**2))
    return max(min(middle - half, value), 0.0), min(max(middle + half, value), 1.0)  # rounding: 1 is in 1's


def ratio(
    parts: Sequence[int], wholes: Sequence[int], weights: Sequence[float] | None = None, *, seed: int = 0
) -> Share:
    """Return the sum of `parts` over the sum of `wholes`, with the 95% interval of a bootstrap over rows.

    A row is drawn whole: the elements of one list stand and fall together. The interval is never narrower than Wilson's for
    as many elements, which few rows, or rows that are alike, would make it; nor for as many rows where all or none are right.
    """
    rows = [
        (part * weight, whole * weight, whole * weight**2)
        for part, whole, weight in zip(parts, wholes, weights or [1.0] * len(parts), strict=True)
        if whole
    ]
    if not rows:
        return Share()
    own, all_, squares = map(list, zip(*rows, strict=True))
    value = sum(own) / sum(all_)
    dice, drawn = random.Random(seed), list[float]()  # noqa: S311 - a seeded resample, not a secret
    resamples = _RESAMPLES if len(rows) < _MANY_ROWS else _RESAMPLES // 4
    for _ in range(resamples):
        places = dice.choices(range(len(rows)), k=len(rows))
        drawn.append(sum(map(own.__getitem__, places)) / sum(map(all_.__getitem__, places)))
    drawn.sort()
    few = len(rows) if value in (0.0, 1.0) else sum(all_) ** 2 / sum(squares)
    least, most = wilson(value, few)
    low = min(drawn[round(0.025 * (resamples - 1))], least)
    high = max(drawn[round(0.975 * (resamples - 1))], most)
    return Share(value, low, high, len(rows))


@lru_cache(maxsize=65_536)
def lower_bound(hits: int, n: int, level: float = 0.9) -> float:
    """Return the one-sided Clopper-Pearson bound: with probability `level` or more the true share is not below it."""
    if hits <= 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if _at_least(hits, n, middle) > 1 - level:
            high = middle
        else:
            low = middle
    return low


def _at_least(hits: int, n: int, share: float) -> float:
    """Return the probability of at least `hits` of `n`, by the shorter tail."""
    if share <= 0.0 or share >= 1.0:
        return float(share >= 1.0)
    upper = n - hits < hits
    counts = range(hits, n + 1) if upper else range(hits)
    first = counts.start
    term = math.exp(
        math.lgamma(n + 1)
        - math.lgamma(first + 1)
        - math.lgamma(n - first + 1)
        + first * math.log(share)
        + (n - first) * math.log1p(-share)
    )
    odds, tail = share / (1 - share), 0.0
    for count in counts:
        tail += term
        term *= (n - count) / (count + 1) * odds
    return tail if upper else 1 - tail


def labels_to_halve(now: Share) -> int | None:
    """Return how many more labels would halve the interval of a share; None without labels."""
    return None if now.low is None or now.high is None else max(3 * now.n, 1)


def labels_to_certify(value: float, target: float, level: float = 0.9, most: int = 100_000) -> int | None:
    """Return how many labels would certify `target` if the true share is `value`; None if no number would.

    The number is approximate: half of all studies with as many labels reach it.
    """
    if value <= target:
        return None
    n = 2
    while lower_bound(math.floor(n * value), n, level) < target:
        n = math.ceil(n * 1.05) + 1
        if n > most:
            return None
    return n
