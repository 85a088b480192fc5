"""What a run costs: its processor, and the data sources that are paid for each use."""

import polars as pl
import pytest

from rowcite.api.facts import MICRO, PROCESSORS, usd
from rowcite.errors import SpecError
from rowcite.pipeline.job import make_job
from rowcite.table.reader import Reader
from rowcite.table.sources import FrameSource

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


SOURCES = {"data_sources": {"free": ["patents"], "pay_per_use": ["filings", "people"]}}


def job_of(spec):
    return make_job(spec, Reader(FrameSource(pl.DataFrame({"name": ["a"]})), spec), "https://api.parallel.ai")


def test_a_run_costs_its_processor_and_each_data_source_that_is_paid_for(make_spec):
    prices = {"filings": 0.02, "people": 0.005, "patents": 9, "own": 0.5}
    job = job_of(make_spec(SOURCES, prices=prices, escalate=["pro", "own"]))
    assert (job.price, job.price_of("pro"), job.price_of("own")) == (50_000, 125_000, 525_000)
    assert job_of(make_spec(prices=prices)).price == 25_000


@pytest.mark.parametrize("prices", [{}, {"filings": 0.02}])
def test_a_data_source_without_a_price_is_an_error(make_spec, prices):
    with pytest.raises(
        SpecError, match=r"no price is known for `people`: give US\$ per run under `prices: {people: 0.01}`"
    ):
        make_spec(SOURCES, prices=prices)


def test_the_local_backend_needs_no_price_of_a_data_source(make_spec):
    job = job_of(make_spec(SOURCES, backend="local", local={"corpus": "."}))
    assert job.price == 0


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
