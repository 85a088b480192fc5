"""The timeline of the work, from the times of the ledger's batches and runs."""

from __future__ import annotations

from collections.abc import Iterable

from rowcite.ledger import Ledger
from rowcite.report.facts import Moment, Timeline

PAUSE = 900.0
"""Seconds without a run sent or ended after which a new session begins."""

_INTERVALS = 160
"""Intervals that a timeline is drawn from, pauses left out."""


def sessions(ledger: Ledger) -> list[tuple[float, float]]:
    """Return the sessions, which are work without a pause: from, to, in Unix seconds."""
    found: list[tuple[float, float]] = []
    for sent, ended in ledger.batch_times():
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
    earlier = ledger.answered_before(worked[-1][0])
    return sum(key in earlier for key in tasks)


def timeline(ledger: Ledger) -> Timeline:
    """Return the timeline, in at most as many moments as a picture can show."""
    worked = sessions(ledger)
    if not worked:
        return Timeline()
    total = sum(end - start for start, end in worked)
    line = Timeline(worked[0][0], worked[-1][1], total, [Moment(0.0, 0, 0, 0)])
    width, done = max(total / _INTERVALS, 0.01), 0.0
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
    sent = ledger.sent_by_interval(start, end, width)
    ended = ledger.ended_by_interval(start, end, width)
    for number in sorted({*sent, *ended}):
        at, last = round(done + min((number + 1) * width, end - start), 3), line.moments[-1]
        if at == last.at:  # the last interval may have no length: it ends where the one before does
            line.moments.pop()
        answered, failed = ended.get(number, (0, 0))
        line.moments.append(
            Moment(at, last.sent + sent.get(number, 0), last.answered + answered, last.failed + failed)
        )
