"""Tables in, as they are: files, globs, folders, stdin and frames, read in batches that keep every original value."""

from rowcite.table.sources.base import FrameSource, Rows, Source, coalesce, format_of, limited
from rowcite.table.sources.opening import open_source
from rowcite.table.sources.remote import check_target, upload

__all__ = [
    "FrameSource",
    "Rows",
    "Source",
    "check_target",
    "coalesce",
    "format_of",
    "limited",
    "open_source",
    "upload",
]
