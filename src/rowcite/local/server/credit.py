"""The account's credit: reserved when a run is created, charged or given back when it ends."""

from __future__ import annotations

from collections.abc import Sequence

from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.local.server.http_errors import HttpError
from rowcite.local.server.store import ACTIVE, Run
from rowcite.local.server.validation import AcceptedRun

_FREE = frozenset({"cancelled"})


class Account:
    """Credit in micro-US$, so that sums are exact; None is unlimited.

    A completed run is charged, and so is a failed one unless `failed_free`; a cancelled one is not. The price of a run
    that is active or needs action is reserved: for that reason a 402 can occur while the balance is positive.
    """

    def __init__(self, dollars: float | None, *, failed_free: bool = False) -> None:
        self._credit = None if dollars is None else round(dollars * MICRO)
        self._reserved = 0
        self._charged = 0
        self._free = _FREE | {"failed"} if failed_free else _FREE

    def affordable(self, accepted: Sequence[AcceptedRun]) -> int:
        """Return how many runs, from the first, the unreserved credit covers."""
        if self._credit is None:
            return len(accepted)
        left = self._credit - self._reserved - self._charged
        for number, one in enumerate(accepted):
            left -= PROCESSORS[one.request.processor].price
            if left < 0:
                return number
        return len(accepted)

    def reserve(self, runs: Sequence[Run]) -> None:
        """Reserve the price of new runs."""
        self._reserved += sum(map(_price, runs))

    def settle(self, runs: Sequence[Run]) -> None:
        """Charge or release the reserved price of ended runs."""
        for run in runs:
            if run.status in ACTIVE or run.status == "action_required":
                continue
            self._reserved -= _price(run)
            self._charged += 0 if run.status in self._free else _price(run)

    def insufficient(self) -> HttpError:
        """Return the documented 402, with the balance and the reserved amount."""
        balance = (self._credit or 0) - self._charged
        detail: dict[str, object] = {"balance_usd": balance / MICRO, "reserved_usd": self._reserved / MICRO}
        return HttpError(402, "Payment required: insufficient credit in account", detail=detail)


def _price(run: Run) -> int:
    return PROCESSORS[run.accepted.request.processor].price
