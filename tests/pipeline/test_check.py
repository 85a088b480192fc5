"""`rowcite check` of several specs, and of specs without their tables."""

import json

import yaml

from rowcite.cli import main

SPEC = {
    "name": "one",
    "input": {"path": "table.csv"},
    "output": {"path": "out.csv"},
    "task": {"processor": "lite", "inputs": {"name": {"column": "name"}}, "outputs": {"country": "Country"}},
}


def written(folder, name, **changes):
    file = folder / name
    file.write_text(yaml.safe_dump({**SPEC, **changes}))
    return str(file)


def test_every_spec_is_checked_also_after_an_error(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("name\nAcme\n")
    bad, good = written(tmp_path, "bad.yaml", tusk={}), written(tmp_path, "good.yaml")
    assert main(["check", bad, good]) == 2
    out, err = capsys.readouterr()
    assert out == f"{good}: ok. 1 row, 1 distinct task, 0 skipped\n"
    assert f"{bad}:" in err
    assert "tusk" in err


def test_the_json_of_several_specs_has_each(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("name\nAcme\n")
    bad, good = written(tmp_path, "bad.yaml", tusk={}), written(tmp_path, "good.yaml")
    assert main(["check", bad, good, "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [(entry["spec"], entry["ok"]) for entry in found["specs"]] == [(bad, False), (good, True)]
    assert "tusk" in found["specs"][0]["errors"][0]


def test_a_spec_is_checked_without_its_table(tmp_path, capsys):
    file = written(tmp_path, "good.yaml", accept={"otherwise": "keep"})
    assert main(["check", file]) == 2
    capsys.readouterr()
    assert main(["check", file, "--no-table"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{file}: ok\n"
    assert "`accept.otherwise` is now called" in err


def test_a_wrong_spec_is_an_error_without_its_table(tmp_path, capsys):
    task = {**SPEC["task"], "processor": "core-slow"}
    assert main(["check", written(tmp_path, "bad.yaml", task=task), "--no-table"]) == 2
    assert "core-slow" in capsys.readouterr().err
