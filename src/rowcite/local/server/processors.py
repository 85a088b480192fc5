"""The processors: which exist, how long they take, how many fields they are good for, what they cost."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Processor:
    """`quickest` and `slowest` are the documented latency band in seconds; `fields` the most that it usefully fills.

    `price` is in US$ for 1,000 runs, which is thousandths of a dollar a run.
    """

    quickest: float
    slowest: float
    fields: int
    price: int


_PLAIN = {
    "lite": Processor(10, 60, 2, 5),
    "base": Processor(15, 100, 5, 10),
    "core": Processor(60, 300, 10, 25),
    "core2x": Processor(60, 600, 10, 50),
    "pro": Processor(120, 600, 20, 100),
    "ultra": Processor(300, 1500, 25, 300),
    "ultra2x": Processor(300, 3000, 25, 600),
    "ultra4x": Processor(480, 5400, 25, 1200),
    "ultra8x": Processor(480, 7200, 25, 2400),
}
# A -fast twin is 2 to 5 times quicker: the slow end of the band shrinks by 2, the quick end by 5.
_FAST = {
    f"{name}-fast": Processor(p.quickest / 5, p.slowest / 2, p.fields, p.price) for name, p in _PLAIN.items()
}
PROCESSORS = _PLAIN | _FAST
WITH_EVENTS = frozenset(name for name in PROCESSORS if name.startswith(("pro", "ultra")))
"""Processors whose runs record progress events unless told not to."""


def seconds_taken(processor: str, run_id: str, scale: float) -> float:
    """Return how long a run takes: lognormal within the processor's band, the same for the same run id.

    `scale` 1 is the documented band, 0 is at once.
    """
    if scale <= 0:
        return 0.0
    band = PROCESSORS[processor]
    middle = math.log(band.quickest * band.slowest) / 2
    spread = math.log(band.slowest / band.quickest) / 4  # the band is two standard deviations each way
    drawn = random.Random(run_id).lognormvariate(middle, spread)  # noqa: S311  # a latency, not a secret
    return scale * min(max(drawn, band.quickest), band.slowest)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Latencies of one distribution whatever the processor: `mean` in seconds, `sigma` of the logarithm."""

    mean: float
    sigma: float = 1.0

    def seconds(self, drawn: bytes) -> float:
        """Return how long a run takes: the same for the same eight bytes, which are a number drawn evenly."""
        even = (int.from_bytes(drawn[:8]) + 0.5) / 2**64
        deviation = NormalDist().inv_cdf(min(max(even, 1e-12), 1 - 1e-12))
        return self.mean * math.exp(self.sigma * deviation - self.sigma**2 / 2)
