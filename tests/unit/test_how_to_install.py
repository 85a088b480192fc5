"""Messages about missing optional packages name what works in a clone and after an install."""

import re
import tomllib

import pytest

from rowcite.wording import how_to_install
from support import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", ["excel", "local", "mcp", "report"])
def test_the_extra_is_named_for_a_clone_and_its_packages_for_an_install(extra):
    clone, anywhere = how_to_install(extra).split(", or anywhere pip install ")
    assert clone == f"pip install '.[{extra}]' in a clone of rowcite"
    assert anywhere.split() == [re.match(r"[\w-]+", line)[0] for line in EXTRAS[extra]]


def test_an_unknown_extra_has_no_packages():
    assert how_to_install("nothing") == "pip install '.[nothing]' in a clone of rowcite"
