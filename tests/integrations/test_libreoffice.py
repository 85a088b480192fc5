"""The page about Excel, walked as it is written, and its workbook as LibreOffice shows it."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from rowcite.spec.models import CsvOptions
from rowcite.table.sources import open_source
from support import ROOT, environment

pytestmark = pytest.mark.integration
AS_STORED = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false"
"""A filter of LibreOffice: commas, double quotes, UTF-8, the values of cells and not what their formats show, no formulas."""


@pytest.fixture(scope="module")
def office():
    """Return a program of LibreOffice; it is installed from Debian's packages unless it is there."""
    if shutil.which("soffice") is None:
        for command in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", "libreoffice-calc-nogui"],
        ):
            subprocess.run(
                ["apt-get", *command], env=environment(DEBIAN_FRONTEND="noninteractive"), check=True
            )
    return "soffice"


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """Return the folder in which the commands of the page were run."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    shutil.copytree(ROOT / "configs", folder / "configs")  # their ledgers are beside them
    page = (ROOT / "docs" / "excel.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e"],
        input=script,
        cwd=folder,
        env=environment(PATH=path),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def converted(office, file, folder, form):
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = [office, profile, "--headless", "--convert-to", form, "--outdir", str(folder), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)


@pytest.mark.parametrize("name", ["accounts-enriched.xlsx", "accounts.xlsx"])
def test_libreoffice_shows_every_value_of_a_workbook(office, walked, tmp_path, name):
    converted(office, walked / name, tmp_path, AS_STORED)
    with (tmp_path / name).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        shown = list(csv.reader(file))
    sheet = openpyxl.load_workbook(walked / name).worksheets[0]
    stored = [[as_text(cell) for cell in row] for row in sheet.iter_rows()]
    assert len(shown) == len(stored) == 81
    for row, own in zip(shown, stored, strict=True):
        assert [cell.replace("\r\n", "\n") for cell in row] == own


def as_text(cell):
    if cell.is_date:
        return f"{cell.value:%Y-%m-%d}"
    return "" if cell.value is None else str(cell.value)


def test_a_workbook_that_libreoffice_saved_is_read_with_the_same_values(office, walked, tmp_path):
    converted(office, walked / "accounts-enriched.xlsx", tmp_path, "xlsx")
    ours, theirs = (
        [line for rows in open_source(str(file), None, CsvOptions()).batches() for line in rows.lines]
        for file in (walked / "accounts-enriched.xlsx", tmp_path / "accounts-enriched.xlsx")
    )
    assert ours == theirs
    cell = openpyxl.load_workbook(tmp_path / "accounts-enriched.xlsx")["Enriched"]["J3"]
    assert cell.value == "handloom textiles"
    assert "Malabar Loom | Made slowly" in cell.comment.text
    assert cell.hyperlink.target == "https://www.malabarloom.example/"


def test_a_workbook_prints(office, walked, tmp_path):
    from pypdf import PdfReader

    converted(office, walked / "accounts-enriched.xlsx", tmp_path, "pdf")
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "accounts-enriched.pdf").pages)
    for part in (
        "Malabar Loom",
        "0004213",
        "handloom textiles",
        "industry_confidence",
        "●●○",
        "rows completed",
    ):
        assert part in text
