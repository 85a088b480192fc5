"""Measure the local engine on the labelled sample with the commands of docs/evaluation.md, and write what they print into that page.

python benchmarks/evaluation.py
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "evaluation.md"
PICTURE = "docs/plots/evaluation.svg"
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n\n(?:```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
_FROM = "cost against"

Command = Callable[[list[str], Path], str]
"""Runs `rowcite` with some arguments in a folder, and returns what it printed on stdout."""


def main() -> None:
    """Run the commands, and write the page and its picture."""
    page, picture = rendered(_run)
    PAGE.write_text(page, encoding="utf-8")
    (ROOT / PICTURE).write_text(picture, encoding="utf-8")


def rendered(run: Command) -> tuple[str, str]:
    """Return the page with what its commands print, and its picture. They run in a copy of the sample."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("configs", "sample_data"):
            shutil.copytree(ROOT / part, folder / part)
        (folder / PICTURE).parent.mkdir(parents=True)

        def block(found: re.Match[str]) -> str:
            printed = "".join(run(shlex.split(line)[1:], folder) for line in found[1].splitlines())
            if found[2] is None:
                return found[0]
            shown = printed[printed.find(_FROM) :] if _FROM in printed else printed
            return f"```sh\n{found[1]}```\n\n```text\n{shown.strip()}\n```\n"

        page = _BLOCK.sub(block, PAGE.read_text(encoding="utf-8"))
        return page, (folder / PICTURE).read_text(encoding="utf-8")


def _run(arguments: list[str], folder: Path) -> str:
    command = [sys.executable, "-m", "rowcite", *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


if __name__ == "__main__":
    main()
