"""The lock file has the requirements of pyproject.toml, from the public index only."""

import re
import subprocess
import sys

from support import ROOT

LOCK = ROOT / "uv.lock"


def test_the_lock_is_the_one_of_these_requirements():
    check = (sys.executable, "-m", "uv", "lock", "--check", "--offline", "--python", sys.executable)
    done = subprocess.run(check, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"run `uv lock` after a change of the dependencies\n{done.stderr}"


def test_the_lock_names_no_host_but_the_public_index():
    text = LOCK.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^/\"]+", text)) == {
        "https://pypi.org",
        "https://files.pythonhosted.org",
    }
    assert set(re.findall(r"source = \{ (\w+) =", text)) == {"registry", "editable"}
