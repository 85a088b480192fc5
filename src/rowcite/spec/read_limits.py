"""The limits on what rowcite reads, documented in docs/spec.md.

A file may be hostile, or not have the format that its name says. The limits are far beyond a table to enrich (the API
takes inputs of some 15,000 characters) and bound the memory whatever a file unpacks to.
"""

MIB = 1 << 20

CELL = 32 * MIB
"""Bytes of one value, unpacked."""
ROW = 64 * MIB
"""Bytes of one row of text: of a CSV or JSON line, header and blank lines above it included."""
COLUMNS = 20_000
"""Columns of a table, with the members of its objects."""
DEPTH = 64
"""Levels of nesting in a line of JSON: the time of polars grows with their cube."""
BATCH = 64 * MIB
"""Bytes of rows that are read at once where their size is known beforehand; memory use follows from it."""
BATCH_CELLS = 8_000_000
"""Cells that are read at once: a table with many columns is read in shorter batches."""

FREE = 1024 * MIB
"""Bytes that any compressed file may unpack to."""
RATIO = 500
"""A compressed file may unpack to this many times its size beyond that: tables reach 3 to 50, bombs 1,000."""

SHEET_CELLS = 20_000_000
"""Cells of a workbook's sheet, in a rectangle around its first and last: the reader has them in memory, some 100 bytes each."""
SHEET_TEXT = 2048 * MIB
"""Bytes of the texts of a workbook's sheet, each as often as a cell has it."""

SPEC = MIB
"""Bytes of a spec file, and of a JSON schema file."""
SPEC_TEXT = 4 * MIB
"""Characters of all texts of a spec, with aliases and variables replaced."""
SPEC_VALUES = 20_000
"""Values in a spec, with aliases replaced."""
SPEC_DEPTH = 50
"""Levels of nesting in a spec: deeper ones overflow the C stack of PyYAML's composer."""


def size(count: int) -> str:
    """Return a number of bytes as text, such as `64 MiB`."""
    return f"{count / MIB:,.0f} MiB" if count >= MIB else f"{count:,} bytes"
