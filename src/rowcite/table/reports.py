"""Markdown reports, one file a row, for `columns.reports`."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from rowcite.errors import TableError


def write_reports(folder: Path, rows_before: int, columns: pl.DataFrame) -> None:
    """Write the reports of a batch as `row-000001.md`, numbered by the row they belong to, from 1.

    Raises:
        TableError: the folder cannot be written.
    """
    answer = columns.columns[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(columns[answer], rows_before + 1):
            if text is not None:
                beside = folder / f".row-{number:06}.md.tmp"
                beside.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
                beside.replace(folder / f"row-{number:06}.md")
    except OSError as error:
        raise TableError(f"{folder}: cannot write the reports: {error.strerror or error}") from error
