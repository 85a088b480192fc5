"""The tests at the lowest versions that pyproject.toml allows."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "jsonschema",
    "trustme",
    "moto[s3,server]",
    "standardwebhooks",
    "parallel-web",
    "pandas>=3",
    "duckdb>=1.4",
    "openpyxl>=3.1",
)
FOLDERS = ("unit", "edge", "pipeline", "report", "local/research", "local/server")
MCP = ROOT / "tests" / "local" / "server" / "test_server_mcp_tools.py"
"""The extra `mcp` wants newer versions of pydantic and starlette than rowcite does."""

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("busy")]  # it keeps all processors busy


def uv(*arguments: object) -> str:
    """Run uv and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", *map(str, arguments)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def python():
    """Return the Python of an environment with the lowest direct versions, and with the tools of the tests.

    Every user can read it, unlike tmp_path: tests import modules after they have given up the privileges of root.
    """
    with TemporaryDirectory() as folder:
        python, pins = Path(folder, "venv", "bin", "python"), Path(folder, "pins.txt")
        Path(folder).chmod(0o755)
        uv("venv", "--python", sys.executable, python.parents[1])
        lowest_direct = ("--resolution", "lowest-direct", f"{ROOT}[eval,excel,local,report]")
        uv("pip", "install", "--python", python, *lowest_direct)
        lowest = uv("pip", "freeze", "--python", python).splitlines()
        pins.write_text("\n".join(pin for pin in lowest if not pin.startswith("rowcite ")))
        uv("pip", "install", "--python", python, "--constraint", pins, *TOOLS)
        yield python


def test_every_test_passes_at_the_lowest_declared_versions(python):
    workers = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "2")
    folders = [ROOT / "tests" / folder for folder in FOLDERS]
    marks = "not browser and not node and not slow and not integration"
    plain = ("-q", "-n", workers, "-m", marks, "--ignore", MCP, "-p", "no:cacheprovider")
    done = subprocess.run(
        [python, "-m", "pytest", *plain, *folders],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
