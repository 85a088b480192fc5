"""How long runs take: within the processor's published band, or by one distribution for all processors."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from statistics import NormalDist

from rowcite.api.facts import PROCESSORS


def seconds_taken(processor: str, run_id: str, scale: float) -> float:
    """Return how long a run takes: lognormal within the processor's band, the same for the same run id.

    `scale` 1 is the published band, 0 ends every run immediately.
    """
    if scale <= 0:
        return 0.0
    quickest, slowest = PROCESSORS[processor].seconds
    middle = math.log(quickest * slowest) / 2
    spread = math.log(slowest / quickest) / 4  # the band is two standard deviations each way
    sample = random.Random(run_id).lognormvariate(middle, spread)  # noqa: S311  # a latency, not a secret
    return scale * min(max(sample, quickest), slowest)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """One distribution of latencies for every processor: `mean` in seconds, `sigma` of the logarithm."""

    mean: float
    sigma: float = 1.0

    def seconds(self, entropy: bytes) -> float:
        """Return how long a run takes: the same for the same eight evenly distributed bytes."""
        even = (int.from_bytes(entropy[:8]) + 0.5) / 2**64
        deviation = NormalDist().inv_cdf(min(max(even, 1e-12), 1 - 1e-12))
        return self.mean * math.exp(self.sigma * deviation - self.sigma**2 / 2)
