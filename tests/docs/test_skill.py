"""The skill for agents: valid front matter, and commands that run in order as they are written."""

import json
import re
import shlex

import pytest
import yaml

from support import ROOT, rowcite, served

SKILL = ROOT / "skills" / "rowcite" / "SKILL.md"
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"```sh\n(.*?)```", SKILL.read_text(), re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "accounts.csv").write_text("id,company name,country\n1,Acme,NL\n2,Borealis,SE\n")
    (tmp_path / "labels.csv").write_text("id,employee_count\n1,5\n")
    return tmp_path


def test_the_front_matter_is_that_of_a_skill():
    _, front, body = SKILL.read_text().split("---\n", 2)
    skill = yaml.safe_load(front)
    assert skill.keys() <= {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
    assert skill["name"] == SKILL.parent.name
    assert len(skill["description"]) <= 1024
    assert len(skill["compatibility"]) <= 500
    assert len(body.splitlines()) < 500


@pytest.mark.slow  # ten commands, two of which draw pictures
def test_its_commands_run_in_order_and_without_a_question(folder):
    with served(folder, bench=True) as server:
        for command in COMMANDS:
            done = rowcite(*command, cwd=folder, PARALLEL_BASE_URL=server.url)
            assert done.returncode == 0, (command, done.stderr.decode())
            if "--json" in command:
                json.loads(done.stdout)
        assert len(server.created()) == 2
    assert {command[0] for command in COMMANDS} >= {"init", "plan", "run", "submit", "collect", "report"}


def test_nothing_is_sent_before_the_cost_was_shown():
    sends = [command[0] in {"run", "submit"} for command in COMMANDS]
    assert COMMANDS[sends.index(True) - 1][0] == "plan"
