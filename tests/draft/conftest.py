"""The working folder of the tests of `rowcite init`, and the command in it."""

import pytest
from click.testing import CliRunner, Result

from rowcite.cli import cli


@pytest.fixture
def init(tmp_path, monkeypatch):
    """Return a function that writes a table of some bytes to the working folder and drafts a spec for it."""
    monkeypatch.chdir(tmp_path)

    def run(content: bytes | None, *args: str, name: str = "table.csv") -> Result:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        return CliRunner().invoke(cli, ["init", name, *args])

    return run


@pytest.fixture
def refused(init):
    """Return a function that drafts a spec for a table that cannot be used, and returns the error."""

    def run(content: bytes | None, *args: str, name: str = "table.csv") -> str:
        result = init(content, *args, name=name)
        assert isinstance(result.exception, Exception)
        return str(result.exception)

    return run
