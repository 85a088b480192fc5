"""What a processor costs."""

import pytest

from rowcite.api.facts import MICRO, PROCESSORS, usd

LIST = {
    "lite": 5,
    "base": 10,
    "core": 25,
    "core2x": 50,
    "pro": 100,
    "ultra": 300,
    "ultra2x": 600,
    "ultra4x": 1_200,
    "ultra8x": 2_400,
}


def test_prices_are_those_of_the_list():
    plain = {name: item for name, item in PROCESSORS.items() if not name.endswith("-fast")}
    assert {name: processor.price * 1_000 / MICRO for name, processor in plain.items()} == LIST


@pytest.mark.parametrize("name", LIST)
def test_a_fast_twin_costs_the_same_and_is_quicker(name):
    plain, fast = PROCESSORS[name], PROCESSORS[f"{name}-fast"]
    assert (fast.price, fast.fields, fast.premium) == (plain.price, plain.fields, plain.premium)
    assert fast.seconds[0] <= plain.seconds[0]
    assert fast.seconds[0] < fast.seconds[1] < plain.seconds[1]


@pytest.mark.parametrize(
    "name", ["", "Core", "core-fast-fast", "-fast", "fast", "core-slow", "ultra16x", " core"]
)
def test_any_other_name_is_not_a_processor(name):
    assert name not in PROCESSORS


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "$0.00"), (5_000, "$0.005"), (25_000, "$0.025"), (12_300_000, "$12.30"), (1_234_567_890_000, "$1,234,567.89"), (500, "$0.0005"), (1, "$0.000001"), (2_500_000_000, "$2,500.00")],
)  # fmt: skip
def test_an_amount_is_shown_exactly(micro, text):
    assert usd(micro) == text
