"""The flags and arguments that replace values of a spec, and the commands to type that repeat them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from rowcite.errors import UsageError
from rowcite.pipeline.job import MEMORY
from rowcite.pipeline.spec_checks import spec_problems
from rowcite.pipeline.which_api import api_flag
from rowcite.spec.models import Engine, Spec

_MORE_FLAGS = {
    "run": {"max-cost", "max-age", "output"},
    "submit": {"max-cost", "max-age"},
    "collect": {"max-cost", "output"},
    "write": {"output"},
}
"""The flags that only some commands have, or that mean another file to others."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Flags that replace values of the spec and the environment. Paths are relative to the working folder.

    `memory` is the approximate number of bytes for keys and answers.
    """

    input: str | None = None
    output: str | None = None
    limit: int | None = None
    processor: str | None = None
    escalate: tuple[str, ...] | None = None
    base_url: str | None = None
    backend: Literal["parallel", "local"] | None = None
    engine: Literal["polars", "daft"] | None = None
    ledger: str | None = None
    api_key: str | None = field(default=None, repr=False)
    max_cost: float | None = None
    max_age: timedelta | None = None
    fresh: bool = False
    retry_failed: bool = False
    wait_lock: float = 0.0
    replace: bool = False
    memory: int = MEMORY


NO_OVERRIDES = Overrides()


def overridden(spec: Spec, overrides: Overrides) -> Spec:
    """Return a spec with the values of flags and arguments.

    Raises:
        UsageError: a value cannot be used, or does not go with the spec.
    """
    update: dict[str, Any] = {} if overrides.backend is None else {"backend": overrides.backend}
    if overrides.processor is not None:
        update["task"] = spec.task.model_copy(update={"processor": overrides.processor})
    if overrides.escalate is not None:
        update["escalate"] = overrides.escalate
    if "" in (overrides.input, overrides.output, overrides.ledger):
        raise UsageError("--input, --output and --ledger must not be empty")
    if overrides.max_cost is not None:
        update["limits"] = spec.limits.model_copy(update={"max_cost_usd": overrides.max_cost})
    if overrides.max_age is not None:
        update["cache"] = spec.cache.model_copy(update={"max_age": overrides.max_age})
    if overrides.engine is not None and overrides.engine != spec.engine.name:
        update["engine"] = Engine(name=overrides.engine)
    spec = spec.model_copy(update=update)
    if spec.backend == "local" and spec.local is None:
        raise UsageError(
            f"{spec.file}: the local backend needs `local: {{corpus: FOLDER}}` in the spec, the folder of documents to answer from"
        )
    if spec.backend == "local" and overrides.base_url is not None:
        raise UsageError("--base-url goes with the parallel backend: add --backend parallel, or leave it out")
    problems = [message for _, message in spec_problems(spec)]
    if problems:
        raise UsageError(*problems)
    return spec


def as_typed(spec: Spec, overrides: Overrides, api: str) -> Mapping[str, str]:
    """Return the spec and the flags that describe a job, each as it is typed."""
    names = ("input", "output", "limit", "processor", "backend", "engine", "ledger", "max-cost")
    given = {name: getattr(overrides, name.replace("-", "_")) for name in names}
    if overrides.max_age is not None:
        given["max-age"] = f"{overrides.max_age.total_seconds():g}s"
    flags = {
        name: shlex.join([f"--{name}", str(value)]) for name, value in given.items() if value is not None
    }
    return {"spec": shlex.quote(spec.file), **flags, "api": api_flag(api).strip()}


def typed_command(name: str, typed: Mapping[str, str]) -> str:
    """Return a command on the same job, as it is typed."""
    left_out = {"max-cost", "max-age", "output"} - _MORE_FLAGS.get(name, set())
    return " ".join(["rowcite", name, *(text for key, text in typed.items() if text and key not in left_out)])
