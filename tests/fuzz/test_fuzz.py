"""Any bytes give a value or an explained error. `make fuzz` searches for longer."""

import pytest
from hypothesis import HealthCheck, given, settings

from fuzz.mutated import mutated
from fuzz.targets import TARGETS
from support import examples

SLOWEST = {
    "document": 60,
    "spec": 60,
    "where": 100,
    "csv-elsewhere": 100,
    "packed": 100,
    "parquet": 100,
    "xlsx": 60,
    "sheet": 100,
}


@pytest.mark.parametrize("name", TARGETS)
def test_bytes_give_a_value_or_an_explained_error(name):
    target = TARGETS[name]

    @settings(
        max_examples=examples(SLOWEST.get(name, 200)),
        deadline=10_000,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(target))
    def holds(data):
        target.run(data)

    for seed in target.seeds:
        target.run(seed)
    holds()
