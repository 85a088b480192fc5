"""Tables out: to files, stdout and object stores, whole or not at all.

A format is one file here, and its registration below.
"""

from rowcite.table.sinks import csv_files, jsonl_files, parquet_files, xlsx_files
from rowcite.table.sinks.destination import check_columns, check_output, open_table
from rowcite.table.sinks.registry import FORMATS, About, OutputFormat, OutputTable, WriteRows, output_format
from rowcite.table.sinks.replace import (
    Existing,
    NewTable,
    Replacement,
    data_files,
    existing_file,
    sample_run_ids,
)

FORMATS.update(
    {
        item.name: item
        for item in (csv_files.CSV, csv_files.TSV, parquet_files.PARQUET, jsonl_files.JSONL, xlsx_files.XLSX)
    }
)

__all__ = [
    "FORMATS",
    "About",
    "Existing",
    "NewTable",
    "OutputFormat",
    "OutputTable",
    "Replacement",
    "WriteRows",
    "check_columns",
    "check_output",
    "data_files",
    "existing_file",
    "open_table",
    "output_format",
    "sample_run_ids",
]
