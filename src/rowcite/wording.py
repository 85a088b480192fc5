"""Parts of messages: the nearest name to a wrong one, numbers with their nouns, and how to install an extra."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class Labelled(StrEnum):
    """An enum whose members have a text for people: `NAME = value, label`."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        """Return a member."""
        member = str.__new__(cls, value)
        member._value_, member.label = value, label
        return member


def plural(number: int, noun: str) -> str:
    """Return a number with its noun: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plural_is(number: int, noun: str) -> str:
    """Return a number with its noun and the verb: 1 row is, 2 rows are."""
    return f"{plural(number, noun)} {'is' if number == 1 else 'are'}"


def percent(part: int, whole: int) -> str:
    """Return a part of a whole; never 0% or 100% for a part that is neither."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 1:
        return "<1%"
    return ">99%" if 99 < share < 100 else f"{share:.0f}%"


def interval(share: float, low: float, high: float) -> str:
    """Return a share with the ends of its interval: 90% (83% to 94%)."""
    return f"{share:.0%} ({low:.0%} to {high:.0%})"


def nearest(name: str, names: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the name that is most like a wrong one, None if none is alike. The case of letters counts least."""
    from difflib import get_close_matches  # takes milliseconds, so only after a wrong name

    by_lower = {known.lower(): known for known in names}
    near = get_close_matches(name.lower(), by_lower, 1, likeness)
    return by_lower[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str], mark: str = "`") -> str:
    """Return ` (did you mean NAME?)` with the nearest name between two marks; an empty text if none is alike."""
    near = nearest(name, names)
    return "" if near is None else f" (did you mean {mark}{near}{mark}?)"


def did_you_mean_file(missing: str | Path, suffixes: tuple[str, ...] = ()) -> str:
    """Return ` (did you mean FILE?)` with the file or folder beside a missing one whose name is nearest.

    Only names with one of the suffixes count, if any are given.
    """
    from pathlib import Path

    path = Path(missing)
    try:
        found = (entry.name for entry in path.parent.iterdir())
        names = sorted(name for name in found if not suffixes or name.endswith(suffixes))
    except (OSError, ValueError):
        return ""
    stems = {name.split(".")[0]: name for name in reversed(names)}
    near = nearest(path.name.split(".")[0], stems)
    alike = [name for name in names if near is not None and name.split(".")[0] == near]
    return f" (did you mean {path.parent / (nearest(path.name, alike) or alike[0])}?)" if alike else ""


@contextmanager
def needs_extra(extra: str, what: str, error_type: Callable[[str], Exception]) -> Iterator[None]:
    """Turn a missing package of an extra into an error with the command that installs it. `what` needs it: "the server needs"."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").startswith("rowcite"):
            raise
        text = f"{what} optional packages ({error}). Install them: {how_to_install(extra)}"
        raise error_type(text) from error


def how_to_install(extra: str) -> str:
    """Return how to install an extra's packages: by its name in a clone, by their own names after an install."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires("rowcite") or []
    except PackageNotFoundError:
        lines = []
    mark = re.compile(rf"""extra\s*==\s*["']{re.escape(extra)}["']""")
    found = (re.match(r"[\w.-]+", line) for line in lines if mark.search(line))
    names = " ".join(name[0] for name in found if name and name[0] != "rowcite")
    clone = f"pip install '.[{extra}]' in a clone of rowcite"
    return f"{clone}, or anywhere pip install {names}" if names else clone
