"""The ledger while tasks are submitted: one connection, in one thread, one call after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import ParamSpec, Self, TypeVar

from rowcite.ledger import Ledger

P = ParamSpec("P")
T = TypeVar("T")


class LedgerThread:
    """A connection to a ledger that is opened, used and closed in one thread.

    Calls are made one after the other, and each is on disk when it returns. A call that was begun is finished before
    the next one and before the connection is closed, however often its caller is cancelled. Use it as a context
    manager, outside the event loop.
    """

    def __init__(self, connect: Callable[[], Ledger]) -> None:
        self._connect = connect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rowcite-ledger")
        self.ledger: Ledger

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._thread.shutdown)
            self.ledger = self._thread.submit(self._connect).result()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        closed = self._thread.submit(self.ledger.close)
        interrupted: KeyboardInterrupt | None = None
        while not closed.done():
            try:
                closed.exception()
            except KeyboardInterrupt as error:
                interrupted = error
        self._thread.shutdown()
        closed.result()
        if interrupted is not None:
            raise interrupted

    def ask(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something in the thread, from any thread but the event loop's, and wait for it."""
        return self._thread.submit(method, *args, **kwargs).result()

    async def call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something in the thread; return what it returns, or raise what it raises.

        When the caller is cancelled, the call is made all the same.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def finish(call: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and with it the caller
                loop.call_soon_threadsafe(_finish, answer, call)

        self._thread.submit(method, *args, **kwargs).add_done_callback(finish)
        return await answer


def _finish(answer: asyncio.Future[T], call: Future[T]) -> None:
    if answer.cancelled():
        return
    if (error := call.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(call.result())
