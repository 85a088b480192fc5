"""The documentation is true: its commands, flags, files and tests exist, its specs load, its examples run."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import click
import pytest
import yaml

from rowcite.cli import cli
from rowcite.errors import RowciteError
from rowcite.model import RowStatus
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.models import Spec
from support import ROOT, environment, rowcite, served

DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def commands():
    context = click.Context(cli)
    return {name: cli.get_command(context, name) for name in cli.list_commands(context)}


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_is_documented_and_has_help(name):
    assert f"`rowcite {name}" in (ROOT / "docs" / "commands.md").read_text()
    assert commands()[name].help


@pytest.mark.parametrize("name", list(commands()))
def test_every_flag_is_documented_and_has_a_help_text(name):
    page = (ROOT / "docs" / ("serve.md" if name == "serve" else "commands.md")).read_text()
    for option in commands()[name].params:
        if isinstance(option, click.Option):
            assert any(f"`{flag}" in page for flag in option.opts), option.opts
            assert option.help, option.opts


def test_every_exit_code_is_documented():
    codes = {kind.exit_code for kind in _kinds(RowciteError)} | {0, 7, 130}
    rows = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "commands.md").read_text(), re.MULTILINE)
    assert sorted(map(int, rows)) == sorted(codes)


def _kinds(kind):
    return {kind, *(inner for child in kind.__subclasses__() for inner in _kinds(child))}


def test_the_spec_page_shows_a_spec_that_loads():
    (text,) = blocks(ROOT / "docs" / "spec.md", "yaml")
    assert parse_spec(yaml.safe_load(text)).name == "accounts"


def test_the_spec_page_has_every_key_of_the_spec():
    page = (ROOT / "docs" / "spec.md").read_text()
    for name, field in Spec.model_fields.items():
        if field.exclude:
            continue
        assert f"{name}:" in page
        inner = getattr(field.annotation, "model_fields", {})
        missing = [
            key
            for key in inner
            if f"{key}:" not in page and f"`{key}`" not in page and f".{key}`" not in page
        ]
        assert not missing, name


def test_the_output_page_explains_every_row_status():
    page = (ROOT / "docs" / "output.md").read_text()
    assert [status for status in RowStatus if f"`{status}`:" not in page] == []


@pytest.fixture
def clone(tmp_path):
    """Return a folder with the sample as a clone has it, and with a table of the user's own."""
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    shutil.copytree(ROOT / "configs", tmp_path / "configs", ignore=shutil.ignore_patterns(".rowcite"))
    shutil.copy(ROOT / "sample_data" / "accounts.csv", tmp_path)
    return tmp_path


def commands_of(block):
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines() if line.startswith("rowcite")]


def test_the_first_command_of_the_readme_writes_the_table_that_it_shows(clone):
    (command,) = commands_of(blocks(ROOT / "README.md", "sh")[0])
    done = rowcite(*command, cwd=clone)
    assert done.returncode == 0, done.stderr.decode()
    with (clone / "out" / "accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    head, _, *lines = re.search(
        r"(?:^\|.*\n)+", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )[0].splitlines()
    columns = [cell.strip() for cell in head.split("|")[1:-1]]
    assert len(lines) == 4
    for line in lines:
        for column, cell in zip(columns, line.split("|")[1:-1], strict=True):
            shown, found = cell.strip(), rows[line.split("|")[1].strip()][column]
            assert found.startswith(shown[:-1].strip()) if shown.endswith("…") else found == shown


@pytest.mark.slow  # seven commands, one of which draws pictures
def test_the_commands_of_the_readme_run_on_a_table_of_ones_own(clone):
    with served(clone, bench=True) as server:
        for command in commands_of(blocks(ROOT / "README.md", "sh")[1]):
            done = rowcite(*command, cwd=clone, PARALLEL_BASE_URL=server.url)
            assert done.returncode == 0, (command, done.stderr.decode())
    assert (clone / "import.csv").exists()


def test_the_start_page_installs_rowcite_as_the_readme_does():
    assert blocks(ROOT / "README.md", "bash") == blocks(ROOT / "docs" / "index.md", "bash")


def test_the_readme_example_runs_from_the_command_and_from_python(clone):
    (text,) = blocks(ROOT / "README.md", "yaml")
    rehearsal = f"\nbackend: local\nlocal: {{corpus: {json.dumps(str(ROOT / 'sample_data' / 'web'))}}}\n"
    (clone / "accounts.yaml").write_text(text + rehearsal)
    done = rowcite("run", "accounts.yaml", "--limit", "5", cwd=clone)
    assert done.returncode == 0, done.stderr.decode()
    assert (clone / "enriched.csv").exists()
    (code,) = blocks(ROOT / "README.md", "python")
    asserted = code + "\nassert table.height == 80, table.height\n"
    subprocess.run([sys.executable, "-c", asserted], cwd=clone, env=environment(), check=True, timeout=300)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_have_targets(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_test_named_in_the_guarantees_exists():
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    for name in re.findall(r"`(test_\w+)`", page):
        assert f"def {name}(" in tests, name
    for path in re.findall(r"`(tests/[\w/.]+)`", page):
        assert (ROOT / path).exists(), path


def test_the_picture_of_the_layers_is_the_one_that_is_checked():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (picture,) = [text for text in blocks(ROOT / "docs" / "development.md", "text") if "holds" in text]
    drawn = [re.split(r"\s{2,}", line)[0] for line in picture.splitlines()[1:]]
    assert drawn == contracts[0]["layers"]


def test_every_file_named_in_the_development_page_exists():
    page = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    for path in re.findall(r"`([\w/]+\.py)`", page):
        assert (ROOT / path).exists() or (ROOT / "src" / "rowcite" / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
        assert name in targets


def test_the_figures_of_the_readme_are_those_of_the_benchmarks():
    results = "".join(
        (ROOT / "benchmarks" / name).read_text() for name in ("results.md", "full.md", "versus.md")
    )
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme[readme.index("## Figures") : readme.index("## Install")]
    lines = re.findall(r"^\| .* \|$", shown, re.MULTILINE)
    assert len(lines) == 13
    for line in lines:
        assert line in results, line
    for figure in re.findall(r"\d+\.\d s(?: of CPU)?|\d+ MB", shown):
        assert figure.removesuffix(" of CPU") in results, figure


def test_the_guarantees_show_the_results_of_the_load_test():
    assert (ROOT / "benchmarks" / "load.md").read_text() in (ROOT / "docs" / "guarantees.md").read_text()
