"""The ledger while tasks are submitted: one connection in one thread, safe however often a caller is cancelled."""

import asyncio
import threading
from contextlib import suppress

import pytest

from rowcite.errors import LedgerError
from rowcite.ledger import open_ledger
from rowcite.submit.ledger_thread import LedgerThread


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(tmp_path, writing=True)
    yield opened
    opened.close()


class Slow:
    """A call that lasts until it is released, and the calls that were under way at the same time."""

    def __init__(self):
        self.begun, self.release = threading.Event(), threading.Event()
        self.under_way = self.most = 0

    def __call__(self):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.begun.set()
        self.release.wait(60)
        self.under_way -= 1


def test_a_call_whose_caller_is_cancelled_twice_is_finished_before_the_next_begins(ledger):
    slow, order = Slow(), []

    async def cancelled_twice(thread):
        caller = asyncio.create_task(thread.call(slow))
        await asyncio.to_thread(slow.begun.wait, 60)
        for _ in range(2):
            caller.cancel()
            await asyncio.sleep(0.01)
        following = asyncio.create_task(thread.call(order.append, "next"))
        await asyncio.sleep(0.05)
        assert order == []
        slow.release.set()
        await following
        with suppress(asyncio.CancelledError):
            await caller

    with LedgerThread(ledger.reopen) as thread:
        asyncio.run(cancelled_twice(thread))
    assert order == ["next"]
    assert slow.most == 1


def test_the_connection_is_closed_after_a_call_whose_loop_has_ended(ledger):
    slow = Slow()

    async def cancelled(thread):
        caller = asyncio.create_task(thread.call(slow))
        await asyncio.to_thread(slow.begun.wait, 60)
        caller.cancel()

    with LedgerThread(ledger.reopen) as thread:
        asyncio.run(cancelled(thread))
        threading.Timer(0.1, slow.release.set).start()
    assert slow.under_way == 0
    with pytest.raises(LedgerError):
        thread.ledger.spent()


def test_the_connection_can_be_used_in_its_own_thread_alone(ledger):
    with LedgerThread(ledger.reopen) as thread:
        assert asyncio.run(thread.call(thread.ledger.spent)) == 0
        assert thread.ask(thread.ledger.spent) == 0
        with pytest.raises(LedgerError, match="same thread"):
            thread.ledger.spent()


def test_an_error_of_a_call_is_raised_to_its_caller(ledger):
    with LedgerThread(ledger.reopen) as thread, pytest.raises(ZeroDivisionError):
        asyncio.run(thread.call(divmod, 1, 0))
