"""What a processor costs."""

import pytest

from rowcite.api.facts import MICRO, PROCESSORS, known, usd

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
    assert {name: processor.price * 1_000 / MICRO for name, processor in PROCESSORS.items()} == LIST


@pytest.mark.parametrize("name", LIST)
def test_a_fast_twin_costs_the_same_and_is_quicker(name):
    plain, fast = known(name), known(f"{name}-fast")
    assert (fast.price, fast.fields) == (plain.price, plain.fields)
    assert 2 <= plain.seconds[0] / fast.seconds[0] <= 5
    assert 2 <= plain.seconds[1] / fast.seconds[1] <= 5
    assert fast.seconds[0] < fast.seconds[1]


@pytest.mark.parametrize(
    "name", ["", "Core", "core-fast-fast", "-fast", "fast", "core-slow", "ultra16x", " core"]
)
def test_of_any_other_name_nothing_is_known(name):
    assert known(name) is None


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "$0.00"), (5_000, "$0.005"), (25_000, "$0.025"), (12_300_000, "$12.30"), (1_234_567_890_000, "$1,234,567.89"), (500, "$0.0005"), (1, "$0.000001"), (2_500_000_000, "$2,500.00")],
)  # fmt: skip
def test_an_amount_is_shown_exactly(micro, text):
    assert usd(micro) == text
