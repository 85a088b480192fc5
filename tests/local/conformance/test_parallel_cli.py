"""The official `parallel-cli`, in a separate virtual environment, against the shipped server on the sample data."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rowcite.local.research.corpus import open_corpus
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded

SAMPLES = Path(__file__).parents[3] / "sample_data"
WANTED = "parallel-web-tools[cli]==0.9.4"
COLUMNS = '[{"name": "name", "description": "Trading name"}, {"name": "website", "description": "Website"}]'
FIELDS = (
    '[{"name": "industry", "description": "Main industry"},'
    ' {"name": "employee_count", "description": "Latest head count"}]'
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def command(cached):
    """Return the path of `parallel-cli`, installed once for each version."""

    def install(folder):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", WANTED]
        subprocess.run(pip, check=True, capture_output=True)

    return cached("parallel-cli", WANTED.encode() + sys.version.encode(), install) / "bin" / "parallel-cli"


@pytest.fixture(scope="module")
def sample_server():
    with embedded(create_app(open_corpus(SAMPLES / "web"), ServerSettings())) as base:
        yield base


@pytest.fixture
def run(command, sample_server, tmp_path):
    """Return a function that runs the command in a temporary folder, which is also its home."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PARALLEL_API_URL": sample_server,
        "PARALLEL_API_KEY": "k",
    }

    def ran(*arguments):
        return subprocess.run(
            [command, *arguments],
            check=False,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return ran


def test_it_enriches_the_sample_accounts(run, tmp_path):
    source = SAMPLES / "accounts.csv"
    done = run(
        *("enrich", "run", "--source-type", "csv", "--source", source, "--target", "out.csv"),
        *("--source-columns", COLUMNS, "--enriched-columns", FIELDS, "--processor", "core-fast"),
    )
    assert done.returncode == 0, done.stderr
    with source.open(encoding="utf8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    with (tmp_path / "out.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == names
    assert sum(bool(row["employee_count"]) for row in rows) > len(rows) / 2


def test_it_searches(run):
    done = run("search", "handloom textiles Kochi", "--json")
    assert done.returncode == 0, done.stderr
    assert "malabarloom.example" in done.stdout
