"""The ledger, as an event loop uses it: one call after the other, each of them on disk when it returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class LedgerThread:
    """Does what touches the ledger in a thread, so that waiting for the disk holds nothing else up.

    One call at a time, first come, first served: a ledger has one connection. A call that was begun is always
    seen to its end, also when the caller is cancelled.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a call returns, or raise what it raises."""
        async with self._turn:
            job = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
            try:
                return await asyncio.shield(job)
            except asyncio.CancelledError:
                await asyncio.wait([job])
                raise
