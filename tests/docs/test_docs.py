"""The documentation is true: its commands, flags, files and tests exist, its specs load, its examples run."""

import json
import re
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
from support import ROOT, environment, rowcite

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


def test_the_readme_example_runs_from_the_command_and_from_python(tmp_path):
    (text,) = blocks(ROOT / "README.md", "yaml")
    rehearsal = f"\nbackend: local\nlocal: {{corpus: {json.dumps(str(ROOT / 'sample_data' / 'web'))}}}\n"
    (tmp_path / "accounts.yaml").write_text(text + rehearsal)
    shutil.copy(ROOT / "sample_data" / "accounts.csv", tmp_path)
    done = rowcite("run", "accounts.yaml", "--limit", "5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "enriched.csv").exists()
    (code,) = blocks(ROOT / "README.md", "python")
    asserted = code + "\nassert table.height == 80, table.height\n"
    subprocess.run([sys.executable, "-c", asserted], cwd=tmp_path, env=environment(), check=True, timeout=60)


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


def test_the_sample_of_the_readme_is_what_the_demo_prints(tmp_path):
    for name in ("configs", "sample_data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".rowcite"))
    rowcite("run", "configs/accounts.yaml", cwd=tmp_path)
    shown = subprocess.run(
        [sys.executable, ROOT / "examples" / "show.py", "out/accounts.csv"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    sample = next(block for block in blocks(ROOT / "README.md", "text") if "Fjordcell" in block).splitlines()
    for line in sample[sample.index("Fjordcell (completed)") :]:
        assert line in shown


def test_the_figures_of_the_readme_are_those_of_the_benchmarks():
    results = "".join(
        (ROOT / "benchmarks" / name).read_text() for name in ("results.md", "full.md", "research/results.md")
    )
    for line in re.findall(r"^\| .* \|$", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert line in results, line


def test_the_guarantees_show_the_results_of_the_load_test():
    assert (ROOT / "benchmarks" / "load.md").read_text() in (ROOT / "docs" / "guarantees.md").read_text()
