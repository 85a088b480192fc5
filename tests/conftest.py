"""Makes `support` importable from every test, and keeps tests from the user's cache."""

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
gc.set_threshold(
    50_000, 20, 100
)  # each worker collects 6,000 tests: garbage among them is searched for less often
settings.register_profile("any machine", deadline=None)  # a busy one takes 200 ms for an example
settings.load_profile("any machine")


def pytest_collection_finish():
    """Leave the collected tests out of every later search for garbage: a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Keep what `rowcite serve` caches out of the user's own folders."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("xdg-cache"))
