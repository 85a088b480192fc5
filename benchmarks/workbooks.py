"""Measure workbooks of many rows in and out: CPU time, memory and size of each command, on stored answers.

PYTHONPATH=src:tests python benchmarks/workbooks.py [ROWS]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import xlsxwriter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.answers import answer, answered, found, spec

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
EXCERPT = "Acme Oy makes anvils in Oulu and had 230 employees at the end of last year. " * 4
HEADER = (
    "id",
    "name",
    "website",
    "city",
    "country",
    "owner",
    "note",
    "phone",
    "revenue",
    "rate",
    "active",
    "since",
)


def make_table(file: Path) -> None:
    """Write a workbook of 12 columns: eight of text, and numbers, booleans and dates."""
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet, day = book.add_worksheet("Accounts"), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, HEADER)
        for row in range(1, ROWS + 1):
            texts = (
                f"{row:07}",
                f"Company {row} Oy",
                f"company{row}.example",
                f"City {row % 900}",
                "Finland",
            )
            for column, text in enumerate(
                (*texts, f"owner{row % 40}", f"Called in week {row % 52}", "+358 40 1234567")
            ):
                sheet.write_string(row, column, text)
            sheet.write_number(row, 8, row * 7)
            sheet.write_number(row, 9, row / 7)
            sheet.write_boolean(row, 10, row % 2)
            sheet.write_datetime(row, 11, datetime(2020, 1, 1) + timedelta(row % 1500), day)  # noqa: DTZ001


def answers():
    """Yield the answer of each row: three fields of four found, two of them with a citation."""
    for row in range(ROWS):
        level = ("high", "medium", "high")[row % 3]
        url = f"https://company{row}.example/about"
        yield answer(
            industry=found(
                f"Anvils {row % 99}", level, url=url, title=f"Company {row} - About", excerpts=[EXCERPT]
            ),
            employee_count=found(row % 5000, level, url=url, title="Team", excerpts=[EXCERPT[:150]]),
            listed=found(row % 2 == 0, level, url=url, title="Investors", excerpts=["Not listed."]),
        )


def measure(folder: Path, *command: object) -> tuple[float, float, float]:
    """Run a command; return its seconds, its seconds of CPU, and its peak of memory in MiB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "rowcite", *map(str, command)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    shown = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 5):
        raise SystemExit(shown)
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Print a table of Markdown."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_table(folder / "table.xlsx")
        (folder / "spec.yaml").write_text(
            json.dumps(spec(input={"path": "table.xlsx"}, limits={"max_cost_usd": 10**6}))
        )
        answered(folder / "spec.yaml", answers())
        print(f"table.xlsx: {ROWS:,} rows, {len(HEADER)} columns, {size(folder / 'table.xlsx')}\n")
        print(
            "| command | seconds | seconds of CPU | MiB at most | file |\n| --- | --- | --- | --- | --- |",
            flush=True,
        )
        flags = ("--base-url", "http://127.0.0.1:9", "-q")
        row("`plan`", measure(folder, "plan", "spec.yaml", *flags), "")
        for out in ("out.csv", "out.parquet", "out.xlsx", "out.xlsx"):
            file = folder / out
            again = " (again)" if file.exists() else ""
            row(
                f"`write` to `{out[3:]}`{again}",
                measure(folder, "write", "spec.yaml", "-o", out, *flags),
                size(file),
            )


def row(name: str, figures: tuple[float, float, float], file: str) -> None:
    """Print a row."""
    print(f"| {name} | {figures[0]:.0f} | {figures[1]:.0f} | {figures[2]:,.0f} | {file} |", flush=True)


def size(file: Path) -> str:
    """Return the size of a file as text."""
    return f"{file.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
