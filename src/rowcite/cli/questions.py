"""The questions of `rowcite init`: at most three, each with a default."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.console import Console
from rowcite.inert import one_line

if TYPE_CHECKING:
    from rowcite.draft.draft import Draft


def ask(made: Draft, *, about_rows: bool) -> None:
    """Let the user change what a row describes, the columns that are sent and the fields to find."""
    from rowcite.draft.entity import ENTITIES

    if about_rows:
        kind = _answer(f"What does a row describe? {', '.join(ENTITIES)}", made.entity, _one_of(ENTITIES))
        if kind != made.entity:
            made.describe(kind)
    names = [column.name for column in made.sample.columns]
    sent = _answer(
        "Which columns may be sent? They identify a row",
        [pick.column for pick in made.picks],
        _some_of(names),
    )
    made.send(sent)
    fields = [field.name for field in made.fields]
    _show("  " + ", ".join(fields))
    found = _answer(
        "Which fields are to be found?", [f.name for f in made.fields if f.active], _some_of(fields)
    )
    made.find(found)


def _answer(question: str, default: Any, read: Callable[[str], Any]) -> Any:
    """Ask until the answer can be read; an empty line, or the end of the input, is the default."""
    shown = default if isinstance(default, str) else ", ".join(default)
    while True:
        line = Console.current().ask(f"{question} [{shown}]")
        if not line:
            return default
        try:
            return read(line)
        except ValueError as error:
            _show(f"  {error}")


def _show(text: str) -> None:
    click.echo(one_line(text), err=True)


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        return _nearest(text, names)

    return read


def _some_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        found = (
            [text]
            if text in names
            else [_nearest(part.strip(), names) for part in text.split(",") if part.strip()]
        )
        if not found:
            raise ValueError("name at least one")
        return list(dict.fromkeys(found))

    return read


def _nearest(text: str, names: Sequence[str]) -> str:
    """Return the name that a text is, in any case or as the only one that begins with it; else raise ValueError."""
    from rowcite.wording import did_you_mean

    same = [name for name in names if _plain(name) == _plain(text)]
    begun = [name for name in names if _plain(text) and _plain(name).startswith(_plain(text))]
    if same or len(begun) == 1:
        return (same or begun)[0]
    hint = did_you_mean(text, names, "'") or f". Choose from: {', '.join(names[:30])}"
    raise ValueError(f"{text!r} is not one of them{hint}")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())
