"""The commands that the pages show for a table of one's own run in their order, as they are written."""

import csv
import re
import shlex

import pytest

from support import ROOT, rowcite, served

DRAWN = "labels.csv"


def commands(page: str) -> list[list[str]]:
    """Return the commands for `accounts.yaml`, or without a spec, that a page shows; those of a clone have tests of their own."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", "").splitlines()
    split = [shlex.split(line, comments=True) for line in lines if line.startswith("rowcite ")]
    return [words[1:] for words in split if words[1] != "serve" and "configs/accounts.yaml" not in words]


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a table of 20 rows and its spec."""
    lines = (ROOT / "sample_data" / "accounts.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "accounts.csv").write_text("".join(lines[:21]), encoding="utf-8")
    assert rowcite("init", "accounts.csv", cwd=tmp_path).returncode == 0
    with (tmp_path / "accounts.yaml").open("a", encoding="utf-8") as spec:
        spec.write("accept: {min_citations: 9}\n")  # every value is one to review
    return tmp_path


def rewritten(file, **cells):
    """Set cells of each row of a CSV."""
    with file.open(newline="", encoding="utf-8") as before:
        rows = list(csv.DictReader(before))
    with file.open("w", newline="", encoding="utf-8") as after:
        writer = csv.DictWriter(after, rows[0])
        writer.writeheader()
        writer.writerows({**row, **cells} for row in rows)


def decide(folder, words, env):
    """Accept the cells that a review shows, as a person on its page."""
    assert rowcite(*words, "--export", "cells.csv", cwd=folder, **env).returncode == 0
    rewritten(folder / "cells.csv", verdict="accept")
    return rowcite("review", "accounts.yaml", "--import", "cells.csv", cwd=folder, **env)


@pytest.mark.slow  # dozens of commands
@pytest.mark.parametrize("page", ["index", "commands", "evaluation", "report", "spec"])
def test_the_commands_of_a_page_run_in_their_order(folder, page):
    shown = commands(page)
    assert shown
    with served(folder, bench=True) as server:
        env = {"PARALLEL_BASE_URL": server.url}
        if page in {"evaluation", "report"}:
            assert rowcite("run", "accounts.yaml", cwd=folder, **env).returncode == 0
            drawing = ("eval", "accounts.yaml", "--draw", "20", "--key", "account_id", "-o", DRAWN)
            assert rowcite(*drawing, cwd=folder, **env).returncode == 0
            rewritten(folder / DRAWN, industry="Retail")
        for command in shown:
            words, target = (
                (command[: command.index(">")], command[-1]) if ">" in command else (command, None)
            )
            if words[0] == "init":
                (folder / "accounts.yaml").unlink()
            if DRAWN in words and "--draw" in words:
                (folder / DRAWN).unlink()
            if words[0] == "review":
                done = decide(folder, [word for word in words if word != "--open"], env)
            else:
                done = rowcite(*words, cwd=folder, **env)
            assert done.returncode == 0, (command, done.stderr.decode())
            if target is not None and "~" not in target:
                (folder / target).write_bytes(done.stdout)
            if DRAWN in words and "--draw" in words:
                rewritten(folder / DRAWN, industry="Retail")
