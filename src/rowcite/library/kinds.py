"""The kinds of tables, for type checkers: each function returns the kind that it was given.

pandas and duckdb are known by their methods, so that a program without them needs neither the packages nor their types.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import polars as pl

from rowcite.spec.models import Spec


class HasArrowStream(Protocol):
    """Any object with an Arrow C stream, such as a pyarrow Table."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a PyCapsule with the stream."""


class PandasFrame(Protocol):
    """A pandas DataFrame."""

    @property
    def iloc(self) -> Any:
        """Return the indexer by position."""

    @property
    def attrs(self) -> Any:
        """Return the notes of the frame."""


class DuckdbRelation(Protocol):
    """A duckdb relation."""

    def fetchnumpy(self) -> Any:
        """Return the rows as arrays."""

    def set_alias(self, alias: str, /) -> Any:
        """Return the relation with a name."""


PathLike: TypeAlias = str | Path
TableLike: TypeAlias = PathLike | pl.DataFrame | pl.LazyFrame | HasArrowStream
SpecLike: TypeAlias = PathLike | Mapping[str, Any] | Spec
FrameT = TypeVar("FrameT", bound=pl.DataFrame | pl.LazyFrame | PandasFrame | DuckdbRelation)
