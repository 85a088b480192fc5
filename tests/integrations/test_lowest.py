"""The tests at the lowest versions that pyproject.toml allows."""

import os
import subprocess
import sys
from pathlib import Path

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
)
FOLDERS = ("unit", "edge", "pipeline", "report", "local/research", "local/server")
MCP = ROOT / "tests" / "local" / "server" / "test_server_mcp_tools.py"
"""The extra `mcp` wants newer versions of pydantic and starlette than rowcite does."""

pytestmark = pytest.mark.integration


def uv(*arguments: object) -> str:
    """Run uv and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", *map(str, arguments)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def python(tmp_path):
    """Return the Python of an environment with the lowest direct versions, and with the tools of the tests."""
    python, pins = tmp_path / "venv" / "bin" / "python", tmp_path / "pins.txt"
    uv("venv", "--python", sys.executable, tmp_path / "venv")
    uv("pip", "install", "--python", python, "--resolution", "lowest-direct", f"{ROOT}[eval,local,report]")
    uv("pip", "uninstall", "--python", python, "rowcite")
    pins.write_text(uv("pip", "freeze", "--python", python))
    uv("pip", "install", "--python", python, "--constraint", pins, *TOOLS)
    return python


def test_every_test_passes_at_the_lowest_declared_versions(python, tmp_path):
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
