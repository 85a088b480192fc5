"""Markdown reports, one file a row, for `columns.reports`."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from rowcite.files import write_errors, write_many


def write_reports(folder: Path, rows_before: int, columns: pl.DataFrame) -> None:
    """Write the reports of a batch as `row-000001.md`, numbered by the row they belong to, from 1.

    Raises:
        TableError: the folder cannot be written.
        Incomplete: the disk is full.
    """
    answers = columns[columns.columns[0]]
    files = (
        (f"row-{number:06}.md", (text if text.endswith("\n") else f"{text}\n").encode())
        for number, text in enumerate(answers, rows_before + 1)
        if text is not None
    )
    with write_errors(str(folder)):
        write_many(folder, files)
