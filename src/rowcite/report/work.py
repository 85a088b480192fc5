"""Spend, savings and the timeline, read from the ledger's runs and times."""

from __future__ import annotations

from collections.abc import Iterable

from rowcite.ledger import Ledger
from rowcite.report.facts import Moment, Packs, Spend, Timeline

PAUSE = 900.0
"""Seconds without a run sent or ended after which a new session begins."""

_BINS = 160

# A run was created unless it was refused or lost; a row of a pack (`pack` is set) was sent in the pack's run.
_SPEND = (
    "SELECT batch.processor, count(*), sum(run.price) FROM run JOIN batch ON batch.id = run.batch"
    " WHERE run.state NOT IN ('refused', 'lost') AND run.pack IS NULL GROUP BY batch.processor ORDER BY min(run.id)"
)
# A row that its pack's answer left out is `lost` and was retried in its own run: it saved nothing.
_PACKS = (
    "SELECT coalesce(sum(rows), 0), count(*), coalesce(sum((rows - 1) * whole.price), 0)"
    " FROM (SELECT pack, sum(state != 'lost') AS rows FROM run WHERE pack IS NOT NULL GROUP BY pack) AS sent"
    " JOIN run AS whole ON whole.id = sent.pack WHERE whole.state NOT IN ('refused', 'lost')"
)
_SESSIONS = (
    "SELECT batch.sent_at, coalesce(max(run.ended_at), batch.sent_at) FROM batch JOIN run ON run.batch = batch.id"
    " WHERE run.state NOT IN ('refused', 'lost') AND run.pack IS NULL GROUP BY batch.id ORDER BY batch.sent_at"
)
_SENT = (
    "SELECT CAST((batch.sent_at - ?) / ? AS INTEGER) AS bin, count(*) FROM run JOIN batch ON batch.id = run.batch"
    " WHERE batch.sent_at BETWEEN ? AND ? AND run.state NOT IN ('refused', 'lost') AND run.pack IS NULL GROUP BY bin"
)
_ENDED = (
    "SELECT CAST((ended_at - ?) / ? AS INTEGER) AS bin, state IN ('completed', 'pruned'), count(*) FROM run"
    " WHERE ended_at BETWEEN ? AND ? AND run.state NOT IN ('refused', 'lost') AND run.pack IS NULL GROUP BY bin, 2"
)
_EARLIER = (
    "SELECT DISTINCT run.key FROM run JOIN batch ON batch.id = run.batch"
    " WHERE run.state = 'completed' AND batch.sent_at < ?"
)


def spend(ledger: Ledger) -> list[Spend]:
    """Return the created runs by processor, in the order of the first run on each."""
    return [Spend(name, runs, cost) for name, runs, cost in ledger.each(_SPEND)]


def packs(ledger: Ledger) -> Packs:
    """Return what packing several rows into a run saved."""
    (row,) = ledger.each(_PACKS)
    return Packs(*row)


def sessions(ledger: Ledger) -> list[tuple[float, float]]:
    """Return the sessions, which are work without a pause: from, to, in Unix seconds."""
    found: list[tuple[float, float]] = []
    for sent, ended in ledger.each(_SESSIONS):
        if found and sent - found[-1][1] < PAUSE:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((sent, max(sent, ended)))
    return found


def stored_before(ledger: Ledger, tasks: Iterable[bytes]) -> int:
    """Return the number of these tasks that were answered before the last session began."""
    worked = sessions(ledger)
    if len(worked) < 2:
        return 0
    earlier = {key for (key,) in ledger.each(_EARLIER, worked[-1][0])}
    return sum(key in earlier for key in tasks)


def timeline(ledger: Ledger) -> Timeline:
    """Return the timeline, in at most as many moments as a picture can show."""
    worked = sessions(ledger)
    if not worked:
        return Timeline()
    total = sum(end - start for start, end in worked)
    line = Timeline(worked[0][0], worked[-1][1], total, [Moment(0.0, 0, 0, 0)])
    width, done = max(total / _BINS, 0.01), 0.0
    for number, (start, end) in enumerate(worked):
        if number:
            line.pauses.append((done, start - worked[number - 1][1]))
        _add_session(ledger, line, (start, end), done, width)
        done += end - start
    return line


def _add_session(
    ledger: Ledger, line: Timeline, session: tuple[float, float], done: float, width: float
) -> None:
    """Add a session that begins `done` seconds into the timeline, one moment for each `width` seconds with events."""
    start, end = session
    sent = dict(ledger.each(_SENT, start, width, start, end))
    answered: dict[int, int] = {}
    failed: dict[int, int] = {}
    for number, well, runs in ledger.each(_ENDED, start, width, start, end):
        (answered if well else failed)[number] = runs
    for number in sorted({*sent, *answered, *failed}):
        at, last = round(done + min((number + 1) * width, end - start), 3), line.moments[-1]
        if at == last.at:  # the last bin ends where the one before it does
            line.moments.pop()
        line.moments.append(
            Moment(
                at,
                last.sent + sent.get(number, 0),
                last.answered + answered.get(number, 0),
                last.failed + failed.get(number, 0),
            )
        )
