"""The built package, installed alone into a fresh virtual environment."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SPEC = """
name: wheel
input: {path: companies.csv}
output: {path: enriched.csv}
task: {processor: lite, inputs: {company: {column: name}}, outputs: {industry: {type: string, description: Main industry}}}
backend: local
local: {corpus: pages}
"""
PAGE = (
    "<html><title>Acme</title><body><h1>Acme</h1><dl><dt>Industry</dt><dd>Rope making</dd></dl></body></html>"
)

pytestmark = pytest.mark.integration


def ran(*command: object, folder: Path, code: int = 0) -> str:
    """Run a command outside the checkout and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the folder that holds the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    ran(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, folder=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Return the folder of programs of an environment that holds the wheel with the local server."""
    folder = tmp_path_factory.mktemp("venv")
    ran(sys.executable, "-m", "venv", folder, folder=folder)
    (wheel,) = built.glob("*.whl")
    ran(folder / "bin" / "pip", "install", "--quiet", f"{wheel}[local]", folder=folder)
    return folder / "bin"


def test_the_wheel_holds_the_whole_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == wanted


def test_the_installed_command_enriches_a_table(installed, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "acme.html").write_text(PAGE)
    (tmp_path / "companies.csv").write_text("name\nAcme\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    ran(installed / "rowcite", "run", "spec.yaml", "--yes", folder=tmp_path)
    header, row = (tmp_path / "enriched.csv").read_text().splitlines()
    assert header.startswith("name,industry,industry_confidence,industry_citations,rowcite_status")
    assert row.startswith("Acme,Rope making,")


def test_the_installed_library_enriches_a_frame(installed, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "acme.html").write_text(PAGE)
    (tmp_path / "companies.csv").write_text("name\nAcme\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    code = "import rowcite; print(rowcite.enrich('companies.csv', 'spec.yaml')['industry'].to_list())"
    assert ran(installed / "python", "-c", code, folder=tmp_path) == "['Rope making']\n"
