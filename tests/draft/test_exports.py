"""`rowcite init` on exports as programs write them: what it picks, and that `rowcite check` accepts the result."""

import pytest
from click.testing import CliRunner
from exports import EXPORTS, Export

from rowcite.cli import cli
from rowcite.draft.draft import draft
from rowcite.draft.sample import read_sample
from support.editors import valid_in_an_editor


@pytest.fixture(params=EXPORTS, ids=lambda export: export.name)
def export(request, tmp_path, monkeypatch) -> Export:
    """Write an export to the working folder."""
    monkeypatch.chdir(tmp_path)
    text = request.param.text
    (tmp_path / "export.csv").write_bytes(text.encode(request.param.encoding))
    return request.param


def test_it_is_read_as_it_was_written(export, tmp_path):
    form = read_sample("export.csv", tmp_path / "none").form
    assert form.separator == export.separator
    assert form.encoding.name.removesuffix("-sig") == export.encoding.removesuffix("-sig")


def test_inputs_and_the_kind_of_row_are_picked(export, tmp_path):
    made = draft("export.csv", tmp_path / "s.yaml", read_sample("export.csv", tmp_path / "none"))
    assert (made.entity, {pick.name: pick.column for pick in made.picks}) == (export.entity, export.inputs)


def test_check_accepts_the_drafted_spec(export, tmp_path):
    made = CliRunner().invoke(cli, ["init", "export.csv"])
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(cli, ["check", "export.yaml", "--json"])
    assert checked.exit_code == 0, checked.output
    assert '"ok": true' in checked.stdout
    assert f'"rows": {len(export.text.splitlines()) - 1}' in checked.stdout
    assert valid_in_an_editor((tmp_path / "export.yaml").read_text(encoding="utf-8"))
