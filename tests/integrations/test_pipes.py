"""Tables from and to databases, by the commands that docs/scheduling.md names: Postgres, DuckDB and dbt."""

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from support import ROOT, SECRETS, WEB, served

PATHS = "/usr/lib/postgresql/15/bin:/usr/lib/postgresql/16/bin:/usr/lib/postgresql/17/bin"
PROFILE = "crm: {target: dev, outputs: {dev: {type: duckdb, path: crm.db}}}"
MODEL = """
select industry, count(*) as accounts, sum(cast(employee_count as bigint)) as employees
from {{ ref('accounts_enriched') }} where rowcite_status = 'completed' group by industry
"""

pytestmark = pytest.mark.integration


def ran(*command: object, folder: Path, **environ: str) -> str:
    """Run a command, and return what it wrote to stdout."""
    inherited = {name: value for name, value in os.environ.items() if name not in {*SECRETS, "PYTHONPATH"}}
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=folder,
        env={**inherited, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the spec of the sample accounts."""
    spec = yaml.safe_load((ROOT / "configs" / "accounts.yaml").read_text())
    spec |= {"input": {"path": "accounts.csv"}, "output": {"path": "enriched.csv"}}
    spec = {name: value for name, value in spec.items() if name not in {"backend", "local"}}
    (tmp_path / "accounts.yaml").write_text(yaml.safe_dump(spec))
    shutil.copy(ROOT / "sample_data" / "accounts.csv", tmp_path)
    return tmp_path


@pytest.fixture
def environ(tmp_path_factory):
    """Return the variables that make `rowcite` on the PATH use a server with the sample pages."""
    with served(tmp_path_factory.mktemp("server"), WEB) as server:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:{PATHS}"
        yield {"PARALLEL_BASE_URL": server.url, "PATH": path, "PYTHONPATH": str(ROOT / "src")}


@contextmanager
def postgres(environ):
    """Run a Postgres server on a socket in a new folder, and yield the variables that connect to it."""
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()  # the server does not run as root
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        shutil.chown(folder, user)
        data = Path(folder) / "data"

        def server(*command: object) -> None:
            as_user = {"user": user} if os.geteuid() == 0 else {}
            subprocess.run(
                [str(part) for part in command],
                check=True,
                cwd=folder,
                env={**environ, "LC_ALL": "C.UTF-8"},
                stdout=subprocess.DEVNULL,
                **as_user,
            )

        server("initdb", "-D", data, "-U", "rowcite", "-A", "trust", "-E", "UTF8")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        server("pg_ctl", "-D", data, "-w", "-l", Path(folder) / "log", "-o", options, "start")
        try:
            yield {**environ, "PGHOST": folder, "PGUSER": "rowcite", "PGDATABASE": "postgres"}
        finally:
            server("pg_ctl", "-D", data, "-m", "immediate", "stop")


def test_a_postgres_table_is_enriched_through_a_pipe(folder, environ):
    header = (folder / "accounts.csv").read_text().splitlines()[0].split(",")
    columns = ", ".join(f'"{name}" text' for name in header)
    pipe = r"""
psql -qc "\copy accounts FROM accounts.csv WITH CSV HEADER"
rowcite run accounts.yaml -q -i accounts.csv -o enriched.csv
HEADER=$(head -1 enriched.csv | sed 's/,/" text, "/g')
psql -qc "CREATE TABLE accounts_enriched (\"$HEADER\" text)"
psql -c "\copy (SELECT * FROM accounts) TO STDOUT WITH CSV HEADER" | rowcite run accounts.yaml -q -i - -o - --yes \
  | psql -qc "\copy accounts_enriched FROM STDIN WITH CSV HEADER"
"""
    with postgres(environ) as connected:
        ran("psql", "-qc", f"CREATE TABLE accounts ({columns})", folder=folder, **connected)
        ran("bash", "-euo", "pipefail", "-c", pipe, folder=folder, **connected)
        counts = "SELECT rowcite_status, count(*), count(industry) > 40 FROM accounts_enriched GROUP BY 1 ORDER BY 1"
        assert ran("psql", "-Atc", counts, folder=folder, **connected) == "completed|79|t\nskipped|1|f\n"


@pytest.fixture(scope="module")
def dbt(tmp_path_factory):
    """Return the programs of an environment with dbt and DuckDB."""
    venv = tmp_path_factory.mktemp("dbt")
    uv = (sys.executable, "-m", "uv")
    ran(*uv, "venv", "-q", "--python", sys.executable, venv, folder=venv)
    ran(
        *uv,
        "pip",
        "install",
        "-q",
        "--python",
        venv / "bin" / "python",
        "dbt-duckdb",
        "dbt-core<1.12",
        folder=venv,
    )
    return venv / "bin"


def test_a_duckdb_table_is_enriched_through_parquet(folder, environ, dbt):
    def query(text: str) -> str:
        code = f"import duckdb; print(duckdb.connect('crm.db').execute({text!r}).fetchall())"
        return ran(dbt / "python", "-c", code, folder=folder, **environ)

    query("CREATE TABLE accounts AS FROM read_csv('accounts.csv', all_varchar = true)")
    query("COPY accounts TO 'accounts.parquet'")
    ran(
        "rowcite",
        "run",
        "accounts.yaml",
        "-i",
        "accounts.parquet",
        "-o",
        "enriched.parquet",
        "-q",
        folder=folder,
        **environ,
    )
    counts = "SELECT rowcite_status, count(*), typeof(any_value(employee_count)) FROM 'enriched.parquet' GROUP BY 1 ORDER BY 1"
    assert query(counts) == "[('completed', 79, 'BIGINT'), ('skipped', 1, 'BIGINT')]\n"


def test_dbt_seeds_the_enriched_table_and_models_read_it(folder, environ, dbt):
    (folder / "dbt_project.yml").write_text("{name: crm, version: 1.0.0, profile: crm}")
    (folder / "profiles.yml").write_text(PROFILE)
    for name in ("seeds", "models"):
        (folder / name).mkdir()
    (folder / "models" / "industries.sql").write_text(MODEL)
    ran(
        "rowcite", "run", "accounts.yaml", "-o", "seeds/accounts_enriched.csv", "-q", folder=folder, **environ
    )
    for command in ("seed", "run"):
        ran(
            dbt / "dbt",
            command,
            "--profiles-dir",
            ".",
            folder=folder,
            **environ,
            DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        )
    code = "import duckdb; print(duckdb.connect('crm.db').execute('SELECT sum(accounts) FROM industries').fetchall())"
    assert ran(dbt / "python", "-c", code, folder=folder, **environ) == "[(79,)]\n"
