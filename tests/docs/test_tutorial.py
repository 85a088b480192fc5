"""The tutorial works as it is written: its commands run in order, and print what it shows."""

import re
import shlex

import pytest

from support import ROOT, rowcite

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def figures_left_out(text: str) -> str:
    """Return a text without figures, which differ when the engine of the local server changes."""
    return re.sub(r"[\d,.]*\d", "N", text)


@pytest.mark.slow  # reads the sample pages for each of six commands
def test_the_commands_of_the_tutorial_print_what_it_shows(tmp_path):
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    printed, commands = "", 0
    for language, text in BLOCKS:
        if language == "sh":
            printed = ""
            for line in text.splitlines():
                done = rowcite(*shlex.split(line)[1:], cwd=tmp_path)
                assert done.returncode == 0, done.stderr.decode()
                printed, commands = printed + (done.stdout + done.stderr).decode(), commands + 1
        elif language == "yaml":
            with (tmp_path / "accounts.yaml").open("a") as spec:
                spec.write(text)
        elif language == "text":
            for line in text.splitlines():
                assert figures_left_out(line) in figures_left_out(printed)
    assert commands == 8
    assert (tmp_path / "import.csv").read_text().startswith("account_id,industry,employee_count\n")


def test_the_live_commands_of_the_tutorial_are_commands(tmp_path):
    live = [text for language, text in BLOCKS if language == "bash"][-1]
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    assert rowcite("init", "sample_data/accounts.csv", "-o", "accounts.yaml", cwd=tmp_path).returncode == 0
    codes = [rowcite(*shlex.split(line)[1:], cwd=tmp_path).returncode for line in live.splitlines()[1:]]
    assert codes == [0, 3]  # a plan needs no key
