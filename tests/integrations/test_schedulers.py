"""The examples of docs/scheduling.md, each run by the scheduler or the shell that it is written for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from support import ROOT, SECRETS, WEB, served

EXAMPLES = ROOT / "examples" / "scheduling"
KEY = "a key"

pytestmark = pytest.mark.integration


def ran(*command: object, folder: Path, code: int = 0, **environ: str) -> str:
    """Run a command in a folder with nothing in the environment but `environ`; return what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Return the programs of an environment with the built wheel, and the folder of the wheel."""
    venv, dist = tmp_path_factory.mktemp("venv"), tmp_path_factory.mktemp("dist")
    inherited = {name: value for name, value in os.environ.items() if name not in {*SECRETS, "PYTHONPATH"}}
    uv = (sys.executable, "-m", "uv")
    ran(*uv, "build", "-q", "--wheel", "-o", dist, ROOT, folder=dist, **inherited)
    ran(*uv, "venv", "-q", "--seed", "--python", sys.executable, venv, folder=dist, **inherited)
    wheel = f"{next(dist.glob('*.whl'))}[report]"
    ran(*uv, "pip", "install", "-q", "--python", venv / "bin" / "python", wheel, folder=dist, **inherited)
    return venv / "bin", dist


@pytest.fixture
def server(tmp_path):
    (tmp_path / "server").mkdir()
    with served(tmp_path / "server", WEB, key=KEY) as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the sample accounts and their spec, which names no backend."""
    folder = tmp_path / "enrich"
    folder.mkdir()
    spec = yaml.safe_load((ROOT / "configs" / "accounts.yaml").read_text())
    spec |= {"input": {"path": "accounts.csv"}, "output": {"path": "enriched.csv"}}
    spec = {name: value for name, value in spec.items() if name not in {"backend", "local"}}
    (folder / "accounts.yaml").write_text(yaml.safe_dump(spec))
    (folder / "accounts.csv").write_bytes((ROOT / "sample_data" / "accounts.csv").read_bytes())
    return folder


@pytest.fixture
def environ(programs, server):
    """Return the environment of a scheduler: a short PATH, the key and the API."""
    return {
        "PATH": f"{programs[0]}:/usr/bin:/bin",
        "PARALLEL_API_KEY": KEY,
        "PARALLEL_BASE_URL": server.url,
    }


def assert_enriched(folder: Path, server: object) -> None:
    """Check that the table is whole, and that each of its tasks was submitted once."""
    table = pl.read_csv(folder / "enriched.csv", infer_schema=False)
    assert table["rowcite_status"].value_counts(sort=True).row(0) == ("completed", 79)
    assert len(server.created()) == 79  # type: ignore[attr-defined]


def test_cron_enriches_silently_from_another_folder_without_a_terminal(folder, environ, server):
    names = ("PATH", "PARALLEL_API_KEY", "PARALLEL_BASE_URL")
    (folder / ".env").write_text("".join(f"{name}='{environ[name]}'\n" for name in names))
    for _ in range(2):
        command = ("/bin/sh", EXAMPLES / "enrich.sh", folder, "accounts.yaml")
        assert ran(*command, folder=Path("/"), PATH="/usr/bin:/bin") == ""
    assert_enriched(folder, server)


def test_cron_prints_what_needs_a_person(folder, environ):
    (folder / "accounts.yaml").write_text("name: accounts\ntusk: 1\n")
    printed = ran(
        "/bin/sh", EXAMPLES / "enrich.sh", folder, "accounts.yaml", folder=Path("/"), code=2, **environ
    )
    assert "rowcite run accounts.yaml ended with 2" in printed
    assert json.loads(printed.splitlines()[-1])["exit_code"] == 2


def test_make_enriches_again_after_a_change_only(folder, environ, server):
    make = ("make", "-s", "-f", EXAMPLES / "Makefile", "enriched.csv")
    assert "79 to submit" in ran(*make, folder=folder, **environ)
    assert ran(*make, folder=folder, **environ) == ""
    assert_enriched(folder, server)
    os.utime(folder / "accounts.csv")
    assert "nothing to submit" in ran(*make, folder=folder, **environ)


def test_the_steps_of_the_workflow_enrich(folder, environ, server, programs):
    job = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())["jobs"]["enrich"]
    environ |= {
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "PIP_FIND_LINKS": str(programs[1]),
        "HOME": str(folder),
    }
    for step in job["steps"]:
        if "run" in step:
            ran("/bin/bash", "-eo", "pipefail", "-c", step["run"], folder=folder, **environ)
    assert "80 rows: 79 completed, 1 skipped" in (folder / "summary").read_text()
    assert_enriched(folder, server)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """Return the programs of an environment with Airflow 3."""
    venv = tmp_path_factory.mktemp("airflow")
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    uv = (sys.executable, "-m", "uv")
    ran(*uv, "venv", "-q", "--python", sys.executable, venv, folder=venv, **inherited)
    packages = ("apache-airflow>=3,<4", "apache-airflow-providers-standard")
    ran(*uv, "pip", "install", "-q", "--python", venv / "bin" / "python", *packages, folder=venv, **inherited)
    return venv / "bin"


def test_the_dag_submits_collects_until_all_is_answered_and_reports(folder, environ, airflow, tmp_path):
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    dag = (EXAMPLES / "airflow_dag.py").read_text().replace("poke_interval=60", "poke_interval=5")
    (home / "dags" / "enrich.py").write_text(dag)
    environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "ENRICH_FOLDER": str(folder),
        "HOME": str(home),
        "PATH": f"{environ['PATH']}:{airflow}",
    }
    ran(airflow / "airflow", "db", "migrate", folder=home, **environ)
    test = (airflow / "airflow", "dags", "test", "enrich_accounts", "2026-01-01")
    with served(home, WEB, key=KEY, latency=0.2) as server:
        printed = ran(*test, folder=home, **{**environ, "PARALLEL_BASE_URL": server.url})
        assert_enriched(folder, server)
    assert "Return code matches retry code" in printed
    assert (folder / "report.html").exists()
