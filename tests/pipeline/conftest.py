"""What the tests of whole submissions share."""

import pytest

from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from support.labels import Registry
from support.submitting import Submission, api


@pytest.fixture(scope="session")
def registry():
    """Return the URL of a server that answers as `support.labels.Registry`."""
    with embedded(create_app(Registry(), ServerSettings())) as url:
        yield url


@pytest.fixture
def opened(tmp_path):
    """Return a function that starts a server that may deviate, and gives a submission to it; all end with the test."""
    stack = []

    def begun(how=None, *, client_key=None, **settings):
        context = api(tmp_path, how, **settings)
        stack.append(context)
        return Submission(tmp_path, context.__enter__(), key=client_key)

    yield begun
    for context in stack:
        context.__exit__(None, None, None)
