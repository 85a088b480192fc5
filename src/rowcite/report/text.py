"""Text from the web, made safe to show: nothing in it moves, turns or hides what stands around it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text as one line without control or format characters: each is shown as its escape."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return " " if char in "\n\t\r" else f"\\u{ord(char):04x}"
