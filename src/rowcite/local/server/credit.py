"""The account's credit: reserved when a run is created, charged or given back when it ends."""

from __future__ import annotations

from collections.abc import Sequence

from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.local.server.http_errors import Refusal
from rowcite.local.server.store import ACTIVE, Run
from rowcite.local.server.validation import Accepted

_FREE = frozenset({"cancelled"})


class Account:
    """Credit in micro-US$, so that sums are exact; None is credit without end.

    A run that completed is charged, and so is one that failed unless `failed_free`; a cancelled one is not. One that
    is active or needs action holds its price: that is how 402 comes while the balance is positive.
    """

    def __init__(self, dollars: float | None, *, failed_free: bool = False) -> None:
        self._credit = None if dollars is None else round(dollars * MICRO)
        self._reserved = 0
        self._charged = 0
        self._free = _FREE | {"failed"} if failed_free else _FREE

    def covered(self, accepted: Sequence[Accepted]) -> int:
        """Return how many runs, from the first on, the credit that nothing holds pays for."""
        if self._credit is None:
            return len(accepted)
        left = self._credit - self._reserved - self._charged
        for number, one in enumerate(accepted):
            left -= PROCESSORS[one.request.processor].price
            if left < 0:
                return number
        return len(accepted)

    def reserve(self, runs: Sequence[Run]) -> None:
        """Hold the price of new runs."""
        self._reserved += sum(map(_price, runs))

    def settle(self, runs: Sequence[Run]) -> None:
        """Charge or give back what ended runs held."""
        for run in runs:
            if run.status in ACTIVE or run.status == "action_required":
                continue
            self._reserved -= _price(run)
            self._charged += 0 if run.status in self._free else _price(run)

    def refusal(self) -> Refusal:
        """Return the documented 402, with what is left and what is held."""
        balance = (self._credit or 0) - self._charged
        held: dict[str, object] = {"balance_usd": balance / MICRO, "reserved_usd": self._reserved / MICRO}
        return Refusal(402, "Payment required: insufficient credit in account", detail=held)


def _price(run: Run) -> int:
    return PROCESSORS[run.asked.request.processor].price
