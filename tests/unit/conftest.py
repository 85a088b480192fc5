"""Builders for the pure rooms: a spec from a few words."""

from typing import Any

import pytest
from hypothesis import settings

from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.models import Spec

settings.register_profile("unit", deadline=None, derandomize=True, max_examples=100)
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
