"""The documentation as a site: built strictly, read without a network."""

import os
import re
import subprocess
import sys

import pytest

from support import ROOT

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder))
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_no_page_loads_anything_from_another_host(site):
    pages = list(site.glob("*.html"))
    assert len(pages) > 15
    loads = re.compile(
        r'<(?:script|img|iframe)[^>]+src="?(https?://[^"> ]+)|<link[^>]+rel="?(?:stylesheet|preconnect|icon)[^>]+href="?(https?://[^"> ]+)'
    )
    assert {found for page in pages for found in loads.findall(page.read_text())} == set()


def test_reference_pages_are_read_from_the_code(site):
    assert "max_cost_usd" in (site / "spec-keys.html").read_text()
    assert "--wait-lock" in (site / "cli.html").read_text()
    assert "aenrich" in (site / "api.html").read_text()


def test_llms_txt_lists_every_page_with_its_first_sentence(site):
    lines = (site / "llms.txt").read_text().splitlines()
    assert any(line.startswith("- [Tutorial](tutorial.md): ") for line in lines)
    listed = set(re.findall(r"\]\(([\w-]+)\.md\)", "\n".join(lines)))
    assert listed >= {page.stem for page in site.glob("*.html")} - {"404", "spec-keys"}
