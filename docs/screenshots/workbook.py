"""Makes docs/screenshots/excel.png: the sample workbook, enriched from the sample pages, as LibreOffice shows it.

Needs LibreOffice and pdftoppm: `apt-get install libreoffice-calc-nogui poppler-utils`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import openpyxl

ROOT = Path(__file__).parents[2]
TARGET = Path(__file__).parent / "excel.png"
SPEC = {
    "name": "picture",
    "input": {"path": "crm.xlsx"},
    "output": {"path": "enriched.xlsx"},
    "task": {
        "processor": "core-fast",
        "inputs": {
            "company_name": {"column": "name"},
            "website": {"column": "website", "transform": "domain"},
        },
        "outputs": {
            "industry": "Main industry or line of business",
            "employee_count": {"type": "integer", "description": "Latest number of employees"},
            "founded_year": {"type": "integer", "description": "Year the company was founded"},
        },
    },
    "columns": {"citations": "none"},
    "backend": "local",
    "local": {"corpus": str(ROOT / "sample_data" / "web")},
}


def main():
    """Make the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = openpyxl.load_workbook(ROOT / "sample_data" / "accounts.xlsx")
        sheet = book["Accounts"]
        sheet.delete_rows(26, 100)
        sheet.delete_rows(7)  # a name in a script that few machines have a font for
        sheet.delete_cols(6, 3)  # the mail addresses, the notes and the amounts
        book.save(folder / "crm.xlsx")
        (folder / "spec.yaml").write_text(json.dumps(SPEC))
        ran(sys.executable, "-m", "rowcite", "run", "spec.yaml", "-q", folder=folder)
        on_one_page(folder / "enriched.xlsx")
        office = (f"-env:UserInstallation=file://{folder / 'office'}", "--headless", "--convert-to", "pdf")
        ran("soffice", *office, "enriched.xlsx", folder=folder)
        crop = ("-x", "100", "-y", "100", "-W", "1440", "-H", "262")
        ran(
            "pdftoppm",
            "-r",
            "150",
            "-png",
            "-singlefile",
            *crop,
            "enriched.pdf",
            TARGET.with_suffix(""),
            folder=folder,
        )


def on_one_page(file):
    """Let the first columns of the sheet fill a page."""
    book = openpyxl.load_workbook(file)
    sheet = book["Enriched"]
    sheet.print_area = "A1:M26"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = openpyxl.worksheet.properties.PageSetupProperties(fitToPage=True)
    sheet.print_options.gridLines = True
    book.save(file)


def ran(*command, folder):
    """Run a command in a folder."""
    subprocess.run([str(part) for part in command], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
