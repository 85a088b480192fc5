"""How much rowcite reads of anything before it refuses, all in one place; docs/spec.md tells them.

A file may be hostile, or merely not what its name says. The bounds are far beyond what a table to enrich holds (the
API takes inputs of some fifteen thousand characters) and keep memory flat whatever a file unpacks to.
"""

MIB = 1 << 20

CELL = 32 * MIB
"""Bytes of one value, unpacked."""
ROW = 64 * MIB
"""Bytes of one row of text: of a CSV or JSON line, header and blank lines above it included."""
COLUMNS = 20_000
"""Columns of a table, the members of its objects counted too."""
DEPTH = 64
"""Levels of nesting in a line of JSON; polars takes a time that grows with their cube."""
BATCH = 64 * MIB
"""Bytes of rows that are read at once where their size is known beforehand; what memory is needed follows from it."""
BATCH_CELLS = 8_000_000
"""Cells that are read at once: a table of many columns is read in shorter batches."""

FREE = 1024 * MIB
"""Bytes that any compressed file may unpack to."""
RATIO = 500
"""Times its own size that a compressed file may unpack to beyond that. Tables pack 3 to 50 times; bombs 1,000 times."""

SPEC = MIB
"""Bytes of a spec file, and of a JSON schema file."""
SPEC_TEXT = 4 * MIB
"""Characters of all texts of a spec together, after aliases and variables are put in."""
SPEC_VALUES = 20_000
"""Values in a spec, after aliases are put in."""
SPEC_DEPTH = 50
"""Levels of nesting in a spec: deeper ones overflow the C stack of PyYAML's composer."""


def size(count: int) -> str:
    """Return bytes as people read them: 64 MiB."""
    return f"{count / MIB:,.0f} MiB" if count >= MIB else f"{count:,} bytes"
