"""Tables in: files, globs, folders, stdin, addresses and frames, read in batches that keep every original value.

A format is one file here, and its registration below.
"""

from rowcite.table.sources import csv_files, jsonl_files, parquet_files, xlsx_files
from rowcite.table.sources.base import (
    COMPRESSED,
    WITH_LINES,
    CellFault,
    FrameSource,
    Rows,
    Source,
    coalesce,
    limited,
)
from rowcite.table.sources.opening import WHICH_INPUT, find_files, open_files, open_source
from rowcite.table.sources.registry import FORMATS, format_of, suffix_of

FORMATS.update(
    {
        item.name: item
        for item in (csv_files.CSV, csv_files.TSV, parquet_files.PARQUET, jsonl_files.JSONL, xlsx_files.XLSX)
    }
)

__all__ = [
    "COMPRESSED",
    "FORMATS",
    "WHICH_INPUT",
    "WITH_LINES",
    "CellFault",
    "FrameSource",
    "Rows",
    "Source",
    "coalesce",
    "find_files",
    "format_of",
    "limited",
    "open_files",
    "open_source",
    "suffix_of",
]
