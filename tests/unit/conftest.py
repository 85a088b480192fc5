"""Builders for the pure rooms: a spec from a few words."""

from typing import Any

import pytest
from hypothesis import settings

from rowcite.errors import SpecError
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.spec.models import Spec
from support import examples

settings.register_profile("unit", deadline=None, derandomize=True, max_examples=examples(100))
settings.load_profile("unit")


@pytest.fixture(scope="session")
def make_spec():
    """Return a function that builds a small spec; `task` updates its task, the rest are its other keys."""

    def make(task: dict[str, Any] | None = None, **keys: Any) -> Spec:
        asked: dict[str, Any] = {
            "processor": "core",
            "inputs": {"company": {"column": "name"}},
            "outputs": {"industry": "string"},
        }
        asked = {**asked, **(task or {})}
        if "prompt" in asked:
            asked.pop("inputs")
        if "output" in asked:
            asked.pop("outputs")
        return parse_spec({"name": "t", "task": asked, **keys}, environ={})

    return make


@pytest.fixture
def load(tmp_path):
    """Return a function that loads a text as a spec file."""

    def load(text: str, **environ: str) -> Spec:
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8", newline="")
        return load_spec(tmp_path / "s.yaml", environ=environ)

    return load


@pytest.fixture
def problems(load, tmp_path):
    """Return a function that loads a wrong spec and returns its problems as `line:column: message`."""

    def problems(text: str, **environ: str) -> list[str]:
        with pytest.raises(SpecError) as raised:
            load(text, **environ)
        prefix = f"{tmp_path / 's.yaml'}:"
        lines = str(raised.value).split("\n")
        assert all(line.startswith(prefix) for line in lines)
        return [line.removeprefix(prefix) for line in lines]

    return problems
