"""The events of `--log-format json`: stable names, with the fields that each has besides those of every line."""

from __future__ import annotations

from typing import NamedTuple

COMMON = ("time", "level", "event", "message")
"""The fields of every line."""


class EventKind(NamedTuple):
    """When a line of a kind is written, and its own fields."""

    when: str
    fields: tuple[str, ...] = ()


EVENTS = {
    "plan": EventKind(
        "before `run` and `submit` send", ("rows", "tasks", "answered", "active", "to_submit", "cost_usd")
    ),
    "progress": EventKind(
        "every 30 seconds and at the end",
        ("tasks", "done", "active", "failed", "spent_usd", "seconds"),
    ),
    "reading": EventKind(
        "every 30 seconds while a table or its stored answers are read, and at the end of a pass of more than that",
        ("rows", "answers", "seconds"),
    ),
    "retry": EventKind("before an escalation round", ("tasks",)),
    "summary": EventKind(
        "at the end of `run`, `submit`, `collect` and `write`",
        ("rows", "submitted", "spent_usd", "requests", "seconds", "output", "exit_code"),
    ),
    "message": EventKind("any other message"),
    "warning": EventKind("a warning"),
    "request": EventKind("each HTTP request, with `-v`"),
    "error": EventKind("the reason why the command ends with another code than 0", ("exit_code",)),
    "interrupted": EventKind("the last line after a signal", ("exit_code",)),
}
