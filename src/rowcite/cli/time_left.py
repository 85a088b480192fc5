"""The time until a command's tasks have ended: by the processor's published times, then by the measured rate."""

from __future__ import annotations

from collections import deque

from rowcite.progress import Band, duration

_WINDOW = 60.0  # seconds over which the rate is measured
_ENOUGH = 2.0  # seconds that a measurement takes at least


class TimeLeft:
    """Estimates the time that is left. Times are seconds of a monotonic clock.

    Until tasks end at a measured rate, it is what the processor usually takes. The rate is that since the first answer,
    not since the start: the first answers of a batch take minutes, and the others follow within seconds.
    """

    def __init__(self, seconds: Band | None, now: float) -> None:
        self._band, self._began = seconds, now
        self._samples = deque[tuple[float, int]]()

    def add(self, ended: int, now: float) -> None:
        """Add a sample: how many tasks have ended in total."""
        if not self._samples or ended > self._samples[-1][1]:
            self._samples.append((now, ended))
        while len(self._samples) > 2 and now - self._samples[1][0] > _WINDOW:
            self._samples.popleft()

    def text(self, left: int, now: float, *, short: bool = False) -> str:
        """Return the time until `left` tasks have ended, `` if it is not known."""
        measured = self._measured(left, now)
        low, high = self._expected(now)
        if measured is None:
            return _range(low, high, short=short) if self._band is not None else ""
        if high > 0:
            measured = min(measured, high)
        return f"~{duration(measured)}" if short else f"about {duration(measured)} left"

    def _expected(self, now: float) -> Band:
        low, high = self._band or (0.0, 0.0)
        return low - (now - self._began), high - (now - self._began)

    def _measured(self, left: int, now: float) -> float | None:
        """Return the time by the measured rate; None if too little has ended."""
        if len(self._samples) < 2:
            return None
        (since, before), (_, ended) = self._samples[0], self._samples[-1]
        if now - since < _ENOUGH:
            return None
        return max(left * (now - since) / (ended - before), 1.0)


def _range(low: float, high: float, *, short: bool) -> str:
    if high <= 0:
        return "" if short else "longer than usual"
    if short:
        return f"<{duration(max(high, 1))}"
    if low <= 0:
        return f"up to {duration(max(high, 1))} left"
    return f"{_range_text(low, high)} left"


def _range_text(low: float, high: float) -> str:
    """Return a range with its unit once: 1 to 5 min."""
    (first, unit), (last, other) = (duration(max(value, 1)).split() for value in (low, high))
    return f"{first} to {last} {unit}" if unit == other else f"{first} {unit} to {last} {other}"
