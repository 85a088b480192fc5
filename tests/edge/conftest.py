"""A ledger to write to."""

import pytest

from rowcite.ledger import open_ledger


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(tmp_path / "l", writing=True)
    yield opened
    opened.close()
