"""The sample configs end to end, compared with the known facts about the sample companies."""

import csv
import json
import shutil

import polars as pl
import pytest

from support import ROOT, rowcite

CONFIGS = ["founding_year", "market_reports", "auto"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a copy of the samples, so that runs write nothing into the checkout."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("configs", "sample_data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".rowcite"))
    return folder


def run_whole(home, config):
    done = rowcite("run", f"configs/{config}.yaml", "--json", "--ledger", f"ledger-{config}", cwd=home)
    summary = json.loads(done.stdout)
    assert (done.returncode, summary["rows"]["failed"], summary["rows"]["pending"]) == (0, 0, 0)


@pytest.fixture(scope="module")
def accounts(home):
    run_whole(home, "accounts")
    return pl.read_csv(home / "out" / "accounts.csv", infer_schema=False)


@pytest.fixture(scope="module")
def truth():
    with (ROOT / "tests" / "data" / "truth" / "accounts.csv").open(encoding="utf-8", newline="") as file:
        return {row["domain"]: row for row in csv.DictReader(file) if row["domain"]}


def checked(accounts, truth, field):
    """Yield (confidence, True if right) for each found value with a known fact."""
    for row in accounts.iter_rows(named=True):
        domain = (row["website"] or "").lower().split("//")[-1].removeprefix("www.").split("/")[0].strip()
        fact = truth.get(domain, {}).get(field)
        if fact and row[field] is not None:
            yield row[f"{field}_confidence"], row[field] == fact


@pytest.mark.parametrize("config", CONFIGS)
def test_each_other_sample_config_runs_unchanged(home, config):
    run_whole(home, config)


def test_every_found_value_has_a_confidence_and_a_citation(accounts):
    fields = [name.removesuffix("_confidence") for name in accounts.columns if name.endswith("_confidence")]
    for field in fields:
        found = accounts.filter(pl.col(field).is_not_null())
        assert found.height > 25, field
        assert found[f"{field}_confidence"].null_count() == found[f"{field}_citations"].null_count() == 0, (
            field
        )


@pytest.mark.parametrize("field", ["employee_count", "founded_year"])
def test_values_of_high_confidence_are_right(accounts, truth, field):
    high = [right for confidence, right in checked(accounts, truth, field) if confidence == "high"]
    assert len(high) > 10
    assert sum(high) / len(high) >= 0.95


@pytest.mark.parametrize("field", ["employee_count", "founded_year"])
def test_four_of_five_values_stated_in_the_pages_are_found(accounts, truth, field):
    found = sum(right for _, right in checked(accounts, truth, field))
    stated = sum(bool(row[field]) for row in truth.values())
    assert found >= 0.8 * stated


def test_instructions_in_a_page_are_ignored(accounts):
    assert "99999" not in accounts["employee_count"].to_list()


def test_two_companies_with_one_name_get_different_answers(accounts):
    both = (
        accounts.filter(pl.col("name").str.contains("Castlemere"))
        .select("headquarters")
        .to_series()
        .to_list()
    )
    assert len(both) == 2
    assert both[0] != both[1]


def test_a_company_without_a_page_stays_blank(accounts):
    nowhere = accounts.filter(pl.col("website").str.contains("dovetail-harbour|whitlock-ice|mistral-quay"))
    assert nowhere.height >= 3
    assert nowhere["employee_count"].null_count() == nowhere.height
