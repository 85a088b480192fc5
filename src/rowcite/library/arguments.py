"""The arguments that the functions share: their checks, and their names in place of the command's flags in messages."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, get_type_hints

from rowcite.errors import RowciteError, UsageError
from rowcite.pipeline.overrides import Overrides
from rowcite.wording import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


class ApiOptions(TypedDict, total=False):
    """Who answers, and what may be spent. Each replaces the value of the spec or of the environment."""

    max_cost_usd: float | None
    backend: Literal["parallel", "local"] | None
    base_url: str | None
    api_key: str | None
    ledger: str | Path | None
    progress: bool | None


class Options(ApiOptions, total=False):
    """What is requested."""

    limit: int | None
    processor: str | None
    escalate: Sequence[str] | None
    escalate_anyway: bool
    fresh: bool
    retry_failed: bool


_SWITCH = (bool, "True or False")
_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "fresh": _SWITCH,  # the text "no" would be true, and pay again
    "retry_failed": _SWITCH,
    "escalate_anyway": _SWITCH,
    "progress": _SWITCH,
    "processor": (str, 'the name of a processor, such as "pro"'),
    "base_url": (str, "the address of the Task API as a text"),
    "api_key": (str, "the key as a text"),
    "ledger": ((str, Path), "the path of a folder"),
}
_DEFAULTS = dict.fromkeys(("escalate_anyway", "fresh", "retry_failed"), False)
_NAMES = {
    "--max-cost": "max_cost_usd=…",
    "--limit": "limit=…",
    "--base-url": "base_url=…",
    "--backend": "backend=…",
    "--ledger": "ledger=…",
    "--key": "key=…",
    "--drawn": "drawn=…",
    "--truth": "truth=…",
    "--escalate-anyway": "escalate_anyway=True",
    "--retry-failed": "retry_failed=True",
    "--fresh": "fresh=True",
}
_PHRASES = (
    ("Export the key of your Parallel account", "Give api_key=…, or export the key of your Parallel account"),
    (", or wait for it with --wait-lock", ""),
    ("input.path (relative to the spec), or give --input", "the path that you give as the table"),
    ("--input, --output and --ledger must", "ledger=… must"),
    ("add --backend parallel", 'add backend="parallel"'),
    ("run with --base-url", "call with --base-url"),
    ("give --key COLUMN", "give key=…"),
    ("with --draw", "with `rowcite eval --draw 50`"),
    ("that --draw wrote", "that `rowcite eval --draw` wrote"),
    ("name it: --drawn FILE", "name it: drawn=…"),
    ("--drawn needs --truth reviewed and --key COLUMN", 'drawn=… needs truth="reviewed" and key=…'),
    ("name a folder there with --ledger DIR", "name a folder there with --ledger"),
)
"""Phrases of messages for the command, each with its wording for a program."""
_EXPLAIN = re.compile(r"See why with `rowcite explain [^`]*--row (\d+)`")
_REPEAT = re.compile(r"`rowcite (?:run|submit|collect) [^`]*(--[a-z-]+)`")
_FLAG = re.compile(rf"({'|'.join(_NAMES)})(?: (https?://[^\s,;]+))?(?![\w-])")


def as_arguments(text: str) -> str:
    """Return a message of the command with the names of arguments in place of flags."""
    if "--" not in text and "Export the key" not in text:
        return text
    for phrase, wording in _PHRASES:
        text = text.replace(phrase, wording)
    text = _EXPLAIN.sub(r"See why in rowcite_error of row \1 of the table that `rowcite.run` returns", text)
    return _FLAG.sub(_argument, _REPEAT.sub(r"\1", text))


def _argument(found: re.Match[str]) -> str:
    name, url = _NAMES[found[1]], found[2]
    return f'{name.removesuffix("…")}"{url}"' if url else name


@contextmanager
def naming_arguments() -> Iterator[None]:
    """Let the errors of a block name arguments and not flags."""
    try:
        yield
    except RowciteError as error:
        error.reword(as_arguments)
        raise


def with_named_options(options: type) -> Callable[[F], F]:
    """Return a decorator for a function with `**options`: notebooks show and complete the name of each of them."""
    names = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS.get(name), annotation=kind)
        for name, kind in get_type_hints(options).items()
    ]

    def decorated(function: F) -> F:
        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        function.__signature__ = signature.replace(parameters=[*own, *names])  # type: ignore[attr-defined]
        return function

    return decorated


def check_options(options: Options, allowed: type) -> None:
    """Raise TypeError if an option has the name of no argument."""
    names = list(get_type_hints(allowed))
    for name in options.keys() - set(names):
        hint = did_you_mean(name, names, "'")
        raise TypeError(f"unexpected keyword argument '{name}'{hint}")
    for name, (kinds, such_as) in _KINDS.items():
        value = options.get(name)
        if value is not None and not isinstance(value, kinds):
            raise UsageError(f"{name}={value!r}: give {such_as}")


def check_evaluation(processors: object, target: object) -> None:
    """Raise UsageError if the arguments of `evaluate` cannot be used."""
    if isinstance(processors, str):
        raise UsageError(f"processors={processors!r}: give a list of processors, such as [{processors!r}]")
    if target is not None and (not isinstance(target, float) or not 0 < target < 1):
        raise UsageError(f"target={target!r}: give a share between 0 and 1, such as 0.95")


def overrides_of(options: Options, path: str | None) -> Overrides:
    """Return arguments as what replaces the values of a spec. `path` is that of the table.

    Raises:
        UsageError: the value of an argument cannot be used.
    """
    limit: Any = options.get("limit")
    most: Any = options.get("max_cost_usd")
    escalate = options.get("escalate")
    if limit is not None and (
        limit is True or limit is False or not isinstance(limit, Integral) or limit < 0
    ):
        raise UsageError(f"limit={limit!r}: give a number of rows, such as 10")
    if most is not None and (not isinstance(most, Real) or not math.isfinite(most) or most < 0):
        raise UsageError(f"max_cost_usd={most!r}: give an amount of US$, such as 10 or 0.5")
    if isinstance(escalate, str):
        raise UsageError(f"escalate={escalate!r}: give a list of processors, such as [{escalate!r}]")
    if escalate is not None and not all(isinstance(name, str) for name in escalate):
        raise UsageError(f"escalate={escalate!r}: give a list of names of processors")
    if (backend := options.get("backend")) not in {None, "parallel", "local"}:
        raise UsageError(f'backend={backend!r}: give "parallel" or "local"')
    ledger: Any = options.get("ledger")
    return Overrides(
        input=path,
        limit=None if limit is None else int(limit),
        processor=options.get("processor"),
        escalate=None if escalate is None else tuple(escalate),
        backend=backend,
        base_url=options.get("base_url"),
        api_key=options.get("api_key"),
        ledger=None if ledger is None else str(ledger),
        max_cost=None if most is None else float(most),
        fresh=options.get("fresh", False),
        retry_failed=options.get("retry_failed", False),
    )
