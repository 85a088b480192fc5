"""Everything that Parallel publishes about the Task API: processors, prices, limits, keywords, headers, statuses.

The client checks and plans with these figures, and the local server applies them. No other file repeats them. Each
group names its source: a page under docs.parallel.ai, or the public OpenAPI document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MICRO = 1_000_000
"""Money is counted in micro-US$, so that sums are exact."""

# --- processors: docs.parallel.ai, "Choose a processor" and "Pricing" ---------------------------------------


@dataclass(frozen=True, slots=True)
class Processor:
    """Price of one run in micro-US$; seconds that a run typically takes, from and to; fields it usefully fills.

    `premium` processors ("pro and above") support auto outputs and record progress events by default.
    """

    price: int
    seconds: tuple[float, float]
    fields: int
    premium: bool = False


_PUBLISHED: tuple[tuple[str, int, int, tuple[float, float], tuple[float, float], bool], ...] = (
    # name, US$ per 1,000 runs, useful fields, seconds, seconds of the -fast twin, premium
    ("lite", 5, 2, (10, 60), (10, 20), False),
    ("base", 10, 5, (15, 100), (15, 50), False),
    ("core", 25, 10, (60, 300), (15, 100), False),
    ("core2x", 50, 10, (60, 600), (15, 180), False),
    ("pro", 100, 20, (120, 600), (30, 300), True),
    ("ultra", 300, 20, (300, 1_500), (60, 600), True),
    ("ultra2x", 600, 25, (300, 3_000), (60, 1_200), True),
    ("ultra4x", 1_200, 25, (300, 5_400), (60, 2_400), True),
    ("ultra8x", 2_400, 25, (300, 7_200), (60, 3_600), True),
)
PROCESSORS: dict[str, Processor] = {
    name + suffix: Processor(price * MICRO // 1_000, band, useful, premium)
    for name, price, useful, standard, fast, premium in _PUBLISHED
    for suffix, band in (("", standard), ("-fast", fast))
}

# --- limits of a request: "Task Spec", "Source policy", "Rate limits"; OpenAPI TaskRunInput ------------------

REQUESTS_PER_MINUTE = 2_000
RUNS_PER_REQUEST = 1_000
TASK_SPEC_CHARS = 15_000
TASK_AND_INPUT_CHARS = 25_000
METADATA_KEY_CHARS, METADATA_VALUE_CHARS = 16, 512
DOMAINS = 200
"""Entries of `include_domains` and `exclude_domains` together."""
DOMAIN = re.compile(r"\.?[^\W_][\w-]*(\.[\w-]+)*")
"""A domain, or a suffix such as `.gov`: without scheme, port or path."""
MCP_SERVERS = 10

# --- JSON schemas: "Task Spec", section on schema restrictions ------------------------------------------------

JSON_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
NESTING_LEVELS = 5
"""Objects and lists inside each other, the root included."""
SAFE_NESTING_LEVELS = 3
"""The limit on an older page of the docs."""
PROPERTIES = 100
ENUM_VALUES = 500
"""Of all enums of a schema together."""
LONG_ENUM_VALUES, LONG_ENUM_CHARS = 250, 7_500
"""An enum with more values than the first may have the second number of characters."""
UNSUPPORTED_IN_OUTPUT = frozenset(
    [
        "contains",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "patternProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
    ]
)
UNSUPPORTED_IN_INPUT = frozenset(
    [
        "allOf",
        "anyOf",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "oneOf",
        "patternProperties",
        "then",
    ]
)
BASIS_NAMES = frozenset(
    ["citations", "confidence", "evidence", "reasoning", "source", "source_urls", "sources"]
)
"""Field names that draw a warning: every field's basis holds these already."""

# --- beta headers: OpenAPI ParallelBeta ------------------------------------------------------------------------

BETA_EVENTS = "events-sse-2025-07-24"
BETA_MCP = "mcp-server-2025-07-17"
BETA_WEBHOOK = "webhook-2025-08-12"
BETA_SEARCH = "search-extract-2025-10-10"
BETA_FIELD_BASIS = "field-basis-2025-11-25"
BETAS = frozenset({BETA_EVENTS, BETA_MCP, BETA_WEBHOOK, BETA_SEARCH, BETA_FIELD_BASIS})

# --- runs: OpenAPI TaskRun, Webhook; how long streams stay open: "Task events (SSE)" -------------------------------

RUN_STATUSES = ("queued", "action_required", "running", "completed", "failed", "cancelling", "cancelled")
ACTIVE_STATUSES = ("queued", "running", "cancelling")
WEBHOOK_EVENT = "task_run.status"
RESULT_SECONDS, RUN_EVENTS_SECONDS, GROUP_EVENTS_SECONDS = 600, 570, 3_600
"""Longest wait for a result; longest time that the event stream of a run, or of a group, stays open."""


def usd(micro: int) -> str:
    """Return an amount as people write it, exactly: `$0.005`, `$12.30`."""
    digits = next(digits for digits in range(2, 7) if micro % 10 ** (6 - digits) == 0)
    return f"${micro / MICRO:,.{digits}f}"


def usd_each(micro: float, number: int) -> str:
    """Return an amount divided by a number: `$0.0123`, `$0.05`, `$1.20`."""
    text = f"{micro / number / MICRO:,.4f}"
    if micro / number >= MICRO / 10:
        text = f"{micro / number / MICRO:,.2f}"
    return "$" + text[:-2] + text[-2:].rstrip("0") if text.partition(".")[2][2:] else f"${text}"
