"""Two commands with one key and two ledgers share the rate limit, and both finish."""

import csv

import pytest

from support import served, small_spec, started, write_spec
from support.deviant import Deviations
from support.submitting import api

ROWS = 30


def job(folder, name):
    """Make a table and a spec whose inputs differ from those of the other command."""
    place = folder / name
    place.mkdir()
    lines = [f"{name} {number},c{number}.example" for number in range(ROWS)]
    (place / "table.csv").write_text("\n".join(["name,website", *lines]) + "\n")
    limits = {"active_runs": 3, "max_cost_usd": 100}
    write_spec(place, small_spec(name=name, backend="parallel", limits=limits))
    return place


def finished(folder, url, seconds):
    """Run two commands at the same time; return the statuses of all rows."""
    places = [job(folder, name) for name in ("one", "two")]
    running = [started("run", "spec.yaml", "-q", "--base-url", url, cwd=place) for place in places]
    for process in running:
        _, errors = process.communicate(timeout=seconds)
        assert process.returncode == 0, errors.decode()
    rows = []
    for place in places:
        with (place / "out.csv").open(newline="") as file:
            rows += list(csv.DictReader(file))
    return [row["rowcite_status"] for row in rows]


@pytest.mark.slow
def test_two_commands_that_share_a_limit_finish_with_few_throttled_requests(tmp_path):
    with api(tmp_path, Deviations(window=(20, 2.0))) as server:
        statuses = finished(tmp_path, server.url, 240)
        assert statuses == ["completed"] * 2 * ROWS
        assert len(server.created()) == 2 * ROWS
        assert server.paid_twice() == 0
        deviant = server.deviant
        assert 0 < deviant.throttled < len(deviant.calls) / 2


@pytest.mark.slow
def test_two_commands_under_the_limit_of_the_shipped_server_both_finish(tmp_path):
    with served(tmp_path, rate_limit=60) as server:
        assert finished(tmp_path, server.url, 600) == ["completed"] * 2 * ROWS
        made = server.created()
    assert len({line["input_sha256"] for line in made}) == len(made) == 2 * ROWS
