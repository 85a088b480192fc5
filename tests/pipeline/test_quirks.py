"""The command against a server with each behaviour that the API's documents leave open reversed."""

import csv

import pytest

from rowcite.local.server.quirks import QUIRKS, read_quirks
from support import rowcite, served, small_spec, write_spec

ROWS = 60


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(0, ROWS, 3):
        text = f"---\nurl: https://c{number}.example/\n---\n# Company {number}\n\nEmployees: {number + 10}\n"
        (folder / f"c{number}.md").write_text(text)
    return folder


def enriched(folder, corpus, **settings):
    """Run the command against a server with these settings; return the output rows and the created runs."""
    lines = [f"Company {number},c{number}.example" for number in range(ROWS)]
    (folder / "table.csv").write_text("\n".join(["name,website", *lines]) + "\n")
    spec = small_spec(backend="parallel", limits={"active_runs": 25, "max_cost_usd": 100})
    with served(folder, corpus, latency=0.001, **settings) as server:
        done = rowcite("run", write_spec(folder, spec), "-q", "--base-url", server.url, cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        with (folder / "out.csv").open(newline="") as file:
            rows = [{**row, "rowcite_run_id": ""} for row in csv.DictReader(file)]
        return rows, server.created()


@pytest.fixture(scope="module")
def plain(tmp_path_factory, corpus):
    rows, created = enriched(tmp_path_factory.mktemp("plain"), corpus)
    assert (len(created), sum(bool(row["employee_count"]) for row in rows)) == (ROWS, ROWS // 3)
    return rows


@pytest.mark.parametrize("quirk", [*sorted(QUIRKS), "all"])
def test_the_table_and_the_runs_are_the_same_under_each_quirk(tmp_path, corpus, plain, quirk):
    rows, created = enriched(tmp_path, corpus, quirks=read_quirks(quirk))
    assert rows == plain
    assert len(created) == ROWS
    assert len({line["input_sha256"] for line in created}) == ROWS


@pytest.mark.slow
def test_a_post_that_fails_half_way_creates_each_run_once(tmp_path, corpus, plain):
    fault = {"http": [{"method": "POST", "path": "/runs$", "nth": [1], "status": 503}]}
    rows, created = enriched(tmp_path, corpus, quirks=QUIRKS, faults=fault)
    assert rows == plain
    assert len({line["input_sha256"] for line in created}) == len(created) == ROWS


@pytest.mark.slow
def test_a_limit_that_counts_each_run_of_a_post_only_costs_time(tmp_path, corpus, plain):
    rows, created = enriched(tmp_path, corpus, quirks=read_quirks("runs-counted"), rate_limit=100)
    assert rows == plain
    assert len({line["input_sha256"] for line in created}) == len(created) == ROWS
