"""What a processor costs and how long it takes.

Source: Parallel's public price and processor pages, US$ per 1,000 runs and typical latency. A `-fast` twin costs
the same and is two to five times quicker.
"""

from __future__ import annotations

from dataclasses import dataclass

TASK_SPEC_CHARS = 15_000
TASK_AND_INPUT_CHARS = 25_000

MICRO = 1_000_000
"""Money is counted in micro-US$, so that sums are exact."""


@dataclass(frozen=True, slots=True)
class Processor:
    """Price of one run in micro-US$; seconds a run typically takes, from and to; fields it usefully fills."""

    price: int
    seconds: tuple[float, float]
    fields: int


PROCESSORS: dict[str, Processor] = {
    "lite": Processor(5_000, (10, 60), 2),
    "base": Processor(10_000, (15, 100), 5),
    "core": Processor(25_000, (60, 300), 10),
    "core2x": Processor(50_000, (60, 600), 10),
    "pro": Processor(100_000, (120, 600), 20),
    "ultra": Processor(300_000, (300, 1_500), 20),
    "ultra2x": Processor(600_000, (300, 3_000), 25),
    "ultra4x": Processor(1_200_000, (300, 5_400), 25),
    "ultra8x": Processor(2_400_000, (300, 7_200), 25),
}
_FAST = "-fast"
_FAST_BY = (5, 2)  # the quickest runs gain most


def known(processor: str) -> Processor | None:
    """Return what is known of a processor, or None for a name that no price is known for."""
    base = PROCESSORS.get(processor.removesuffix(_FAST))
    if base is None or not processor.endswith(_FAST):
        return base
    low, high = base.seconds
    return Processor(base.price, (low / _FAST_BY[0], high / _FAST_BY[1]), base.fields)


def usd(micro: int) -> str:
    """Return an amount as people write it, exactly: `$0.005`, `$12.30`."""
    digits = next(digits for digits in range(2, 7) if micro % 10 ** (6 - digits) == 0)
    return f"${micro / MICRO:,.{digits}f}"
