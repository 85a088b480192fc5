"""Which API's answers a command uses: the one that is named, or the one that the ledger's runs went to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from rowcite.api.bodies import LOCAL
from rowcite.errors import UsageError
from rowcite.wording import plural

PARALLEL = "https://api.parallel.ai"


class Use(Enum):
    """How a command uses the answers of an API."""

    SEND = "requests them"  # never from the API that the ledger names: a rehearsal would be paid for
    LOOK = "shows them"
    KEEP = "writes them to a file"  # which would lose the answers of the other API


@dataclass(frozen=True, slots=True)
class ApiChoice:
    """An API (a base URL, or `local:` and the corpus's digest), and warnings about runs at other APIs."""

    api: str
    warnings: tuple[str, ...] = ()


def choose_api(named: str | None, corpus: str | None, runs: Mapping[str, int], use: Use) -> ApiChoice:
    """Return the API whose answers a command uses.

    `named` is the API that a flag or a variable names, `corpus` the local corpus of a spec with `backend: local`, `runs`
    the number of answered and active runs in the ledger by API.

    Raises:
        UsageError: the named API has no runs and a file would be written without the others', or none is named and
            several have runs.
    """
    api = named or corpus or _unnamed(runs, use)
    if api in runs or not runs:
        return ApiChoice(api)
    if use is Use.SEND:
        return ApiChoice(api, (_sent_again(api, runs),))
    text, listed = (
        f"the ledger has no answers from {api_text(api)}. It has",
        _listed(runs, local=corpus is not None),
    )
    if use is Use.KEEP and named is not None:
        raise UsageError(text, *listed, "Name the API with that flag")
    return ApiChoice(api, (f"{text} {'; '.join(map(str.strip, listed))}",))


def api_text(api: str) -> str:
    """Return an API as messages name it."""
    return "the local corpus" if api.startswith(LOCAL) else api


def api_flag(api: str) -> str:
    """Return the flag that makes `rowcite run` use an API; empty for the default and for the local backend."""
    return "" if api == PARALLEL or api.startswith(LOCAL) else f" --base-url {api}"


def _unnamed(runs: Mapping[str, int], use: Use) -> str:
    """Return the API that no flag, variable or spec names."""
    if use is Use.SEND or PARALLEL in runs or not runs:
        return PARALLEL
    (first, *more) = runs
    if more or first.startswith(LOCAL):  # answers of the local backend never replace those of an API
        raise UsageError(
            "no flag or variable names an API. The ledger has",
            *_listed(runs, local=False),
            "Name the API with that flag",
        )
    return first


def _sent_again(api: str, runs: Mapping[str, int]) -> str:
    corpus = "another local corpus" if api.startswith(LOCAL) else "a local corpus"
    places = dict.fromkeys(corpus if name.startswith(LOCAL) else name for name in runs)
    return f"{plural(sum(runs.values()), 'answer')} came from {' and '.join(places)}; this run requests {api_text(api)} again"


def _listed(runs: Mapping[str, int], *, local: bool) -> list[str]:
    """Return a line for each API with its runs and the flag that names it."""
    counts: dict[str, int] = {}
    for api, count in runs.items():
        flag = f"{'--backend parallel ' * local}--base-url {api}"
        if api.startswith(LOCAL):
            flag = "another version of the corpus" if local else "--backend local"
        counts[flag] = counts.get(flag, 0) + count
    return [f"  {plural(count, 'run')}: {flag}" for flag, count in counts.items()]
