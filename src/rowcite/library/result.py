"""The outcome of a run: the enriched table, the plan and the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from rowcite.pipeline.plan import Plan
from rowcite.pipeline.summary import Summary

TableT = TypeVar("TableT")


@dataclass(frozen=True, slots=True)
class Result(Generic[TableT]):
    """The outcome of `run`: the enriched table, the plan (None if the run stopped before it had one) and the summary.

    `summary.stopped` is the reason for an `exit_code` that is not 0, else None.
    """

    table: TableT
    plan: Plan | None
    summary: Summary
