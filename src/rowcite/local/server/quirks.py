"""Quirks: behaviour of the real Task API that its documents leave open. Each name switches to the other possibility."""

from __future__ import annotations

from rowcite.errors import UsageError
from rowcite.wording import nearest

ACTIVE_UNLISTED = "active-unlisted"
ACTIVE_NEVER_LISTED = "active-never-listed"
IDS_REORDERED = "run-ids-reordered"
NO_STREAM_METADATA = "no-stream-metadata"
PARTIAL_BATCHES = "partial-batches"
STALE_STATUSES = "stale-statuses"
ACTION_REQUIRED_ACTIVE = "action-required-active"
NO_REPLAY = "no-replay"
RUNS_COUNTED = "runs-counted"
BETAS_DEMANDED = "betas-demanded"
FAILED_FREE = "failed-free"

QUIRKS = {
    ACTIVE_UNLISTED: "a group's runs are listed while they are active only if the request filters by their status",
    ACTIVE_NEVER_LISTED: "a group's runs are never listed while they are active",
    IDS_REORDERED: "`run_ids` come in the opposite order of `inputs`",
    NO_STREAM_METADATA: "streams show no metadata of runs",
    PARTIAL_BATCHES: "a batch answered with 402, 403, 422 or 5xx was created in part",
    STALE_STATUSES: "a group's status is up to 3 seconds old",
    ACTION_REQUIRED_ACTIVE: "a group is active while a run of it needs action, and its event stream stays open",
    NO_REPLAY: "a group's event stream shows nothing from before it was opened",
    RUNS_COUNTED: "a batch counts against the rate limit with each of its runs",
    BETAS_DEMANDED: "events, MCP servers, webhooks, the older searches and a basis of list elements need their `parallel-beta` header",
    FAILED_FREE: "a failed run costs nothing",
}
STALE_FOR = 3.0  # seconds


def read_quirks(text: str) -> frozenset[str]:
    """Return the quirks of a comma-separated list, or all for `all`; raise `UsageError` for an unknown one."""
    names = {name for part in text.split(",") if (name := part.strip())}
    if names == {"all"}:
        return frozenset(QUIRKS)
    for name in sorted(names - QUIRKS.keys()):
        near = nearest(name, QUIRKS)
        hint = f"did you mean {near}?" if near else f"the quirks are: all, {', '.join(QUIRKS)}."
        raise UsageError(f"unknown quirk {name!r}; {hint}")
    return frozenset(names)
