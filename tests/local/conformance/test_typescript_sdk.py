"""The official TypeScript SDK against the shipped server. Needs Node 20 and npm, and the npm registry once."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "typescript"
SUITE = HERE / "suite.mjs"
FILES = ("package.json", "package-lock.json", SUITE.name)
CHECKS = re.findall(r'^check\("([^"]+)"', SUITE.read_text("utf8"), re.MULTILINE)

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def installed(cached):
    """Return a folder with the suite and the SDK of its lock file, installed once for each version of them."""

    def install(folder):
        for name in FILES:
            shutil.copy(HERE / name, folder)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)

    return cached("typescript", b"".join((HERE / name).read_bytes() for name in FILES), install)


@pytest.fixture(scope="module")
def errors(installed, module_servers):
    """Return what went wrong in each check of the suite, None for nothing."""
    servers = {
        "plain": module_servers(),
        "held": module_servers(held=True),
        "keyed": module_servers(key="right"),
        "poor": module_servers(credit=0.0),
        "limited": module_servers(rate_limit=1),
    }
    environment = os.environ | {"SERVERS": json.dumps(servers)}
    done = subprocess.run(
        ["node", SUITE.name],
        check=False,
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["check"]: line["error"] for line in lines}


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_holds(errors, name):
    assert errors[name] is None, errors[name]
