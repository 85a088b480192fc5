"""What an engine does: it runs functions on items in other processes. Another one is a file here, and a line of `open_engine`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs a function on each of some items: on several machines, at the same time, and on an item again if a worker died."""

    def check(self, read: Sequence[Path], write: Sequence[Path]) -> None:
        """Return if every worker can read some files, write to some folders, and has this version of rowcite.

        Raises:
            UsageError: a worker cannot, or there is none.
        """

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the result of each item, in any order. An error of rowcite is raised as it was in the worker."""
