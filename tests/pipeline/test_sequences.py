"""Random sequences of commands on one output, checked against the documented rules after every command.

The oracle knows the rules alone: which runs a command may create, which exit code its rows give, and whether its table may
take the place of the one that is there. What was created comes from the journals of the servers, what was written from the
files.
"""

import csv
import json
import os
import random
import time
from collections import Counter
from contextlib import closing
from hashlib import sha256

import httpx
import polars as pl
import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from support import environment, numbered, served, small_spec, started, until, write_spec

SEQUENCES, COMMANDS = int(os.environ.get("ROWCITE_SEQUENCES", "3")), 10
PRICE = 25_000  # micro-US$ of a run of core
LATENCY = 0.0005
ANSWERED = ("completed", "rejected")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folders = [tmp_path_factory.mktemp(name) for name in ("sound", "failing")]
    with (
        served(folders[0], bench=True, latency=LATENCY) as sound,
        served(folders[1], bench=True, latency=LATENCY, faults={"fail": 0.1}) as failing,
    ):
        yield [sound, failing]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)


class Journal:
    """The new lines of a server's journal."""

    def __init__(self, server):
        self._file, self._at = server.journal_file, server.journal_file.stat().st_size
        self._rest = b""

    def created(self):
        """Return the runs created since the last call: the task's key, and the hash of its input."""
        with self._file.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [
            (line["metadata"]["rowcite_key"], line["input_sha256"])
            for line in map(json.loads, lines)
            if "input_sha256" in line
        ]


def sha_of(name):
    """Return the hash of a row's input, as the server has it."""
    text = json.dumps({"company_name": name}, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def statuses_of(file):
    """Return the statuses of a table's rows, None if it has no such column, and "none" if there is no file."""
    if not file.exists():
        return "none"
    if file.suffix == ".csv":
        with file.open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        return [row["rowcite_status"] for row in rows] if rows and "rowcite_status" in rows[0] else None
    frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_ndjson(file)
    return frame["rowcite_status"].to_list() if "rowcite_status" in frame.columns else None


def answered(statuses):
    return sum(status in ANSWERED for status in statuses)


class World:
    """A table, a spec, two APIs, and what the rules say about them."""

    def __init__(self, folder, servers, seed):
        self.random, self.folder, self.servers = random.Random(seed), folder, servers
        self.kind = self.random.choice(["csv", "csv", "jsonl", "parquet"])
        self.output, self.partial = folder / f"out.{self.kind}", folder / f"out.partial.{self.kind}"
        self.journals = [Journal(server) for server in servers]
        self.all_names = [f"Company {seed}-{number}" for number in range(12)]
        self.names, self.question, self.api = self.all_names[:8], 0, 0
        self.sent = {}  # by API and question: the names that were sent
        self.active = {}  # of these, those that may not have ended: sent by `submit` or by a killed run
        self.created, self.killed, self.log = Counter(), False, []
        self.write_input()

    def write_input(self):
        lines = "".join(f"{name}\n" for name in self.names)
        (self.folder / "table.csv").write_text(f"name\n{lines}")
        outputs = {"year": {"type": "integer", "description": f"Year founded, version {self.question}"}}
        inputs = {"company_name": {"column": "name", "required": True}}
        task = {"processor": "core", "inputs": inputs, "outputs": outputs}
        spec = small_spec(backend="parallel", task=task, output={"path": self.output.name})
        write_spec(self.folder, {key: value for key, value in spec.items() if key != "local"})

    # --- changes between commands ------------------------------------------------------------------------

    def change(self):
        what = self.random.choice(
            ["rows", "question", "api", "foreign", "delete", "nothing", "nothing", "nothing"]
        )
        if what == "rows":
            self.names = self.random.sample(self.all_names, self.random.randint(2, 12))
        if what == "question":
            self.question = self.random.randrange(3)
        if what == "api":
            self.api = 1 - self.api
        if what == "foreign" and self.kind == "csv":
            self.output.write_text("mine\n1\n")
        if what == "delete":
            self.output.unlink(missing_ok=True)
        self.log.append(what)
        self.write_input()

    # --- commands ----------------------------------------------------------------------------------------

    def command(self, capsys):
        names = ["run"] * 4 + [
            "limit",
            "refused",
            "fresh",
            "retry",
            "replace",
            "write",
            "write",
            "submit",
            "collect",
        ]
        name = self.random.choice([*names, "kill", "look"])
        self.log.append(name)
        if name == "kill":
            self.kill()
        elif name == "look":
            self.look()
        else:
            self.checked(name, capsys)
        self.check_spend()

    def checked(self, name, capsys):
        """Run a command, and compare what it created, wrote and returned with the rules."""
        limit = self.random.randint(0, 6) if name == "limit" else None
        replace = name == "replace" or (name == "write" and self.random.random() < 0.2)
        flags = {
            "limit": ["--limit", str(limit)],
            "refused": ["--max-cost", "0"],
            "fresh": ["--fresh"],
            "retry": ["--retry-failed"],
        }.get(name, [])
        flags = [*flags, *(["--replace"] if replace else [])]
        command = name if name in {"write", "submit", "collect"} else "run"
        before, content = statuses_of(self.output), self.bytes(self.output)
        code, document = self.call(capsys, command, *flags)
        scope = self.names[:limit]
        new = self.check_created(name, scope)
        if command == "submit" or code == 2:
            assert code == (2 if command == "write" else 0), self.log
            assert self.bytes(self.output) == content, self.log
            return
        self.check_code(code, command, scope, document["rows"], refused=name == "refused" and not new)
        complete = code == 0 and limit is None
        self.check_table(document, before, content, complete=complete, replace=replace)

    def call(self, capsys, command, *flags):
        capsys.readouterr()
        url = self.servers[self.api].url
        code = main([command, str(self.folder / "spec.yaml"), "--base-url", url, "--json", "-q", *flags])
        out, err = capsys.readouterr()
        assert "Traceback" not in err, (self.log, err)
        self.log.append((code, *flags))
        return code, json.loads(out) if out else None

    def check_created(self, name, scope):
        """Check that a command created the runs that it needed, each once; return them."""
        sent = self.sent.setdefault((self.api, self.question), set())
        created = self.take_created()
        assert not created[1 - self.api], self.log
        new = [sha for _, sha in created[self.api]]
        assert len(new) == len(set(new)), self.log
        missing = {sha_of(each) for each in scope if each not in sent}
        if name in {"write", "collect", "refused"}:
            assert not new, self.log
        elif name == "fresh":
            active = self.active.get((self.api, self.question), set())
            assert {sha_of(each) for each in scope if each not in active} <= set(new), self.log
            assert set(new) <= {sha_of(each) for each in scope}, self.log
        elif name == "retry":
            assert missing <= set(new) <= {sha_of(each) for each in scope}, self.log
        else:
            assert set(new) == missing, self.log
        self.remember(new, active=name == "submit")
        if name not in {"write", "collect", "refused", "submit"}:
            self.active = {where: names for where, names in self.active.items() if where[0] != self.api}
        return new

    def remember(self, shas, *, active=False):
        by_sha = {sha_of(name): name for name in self.all_names}
        names = {by_sha[sha] for sha in shas}
        self.sent.setdefault((self.api, self.question), set()).update(names)
        if active:
            self.active.setdefault((self.api, self.question), set()).update(names)

    def take_created(self):
        created = [journal.created() for journal in self.journals]
        self.created.update(key for some in created for key, _ in some)
        return created

    def check_code(self, code, command, scope, rows, *, refused):
        """Check the exit code by the rows: 6 over budget, 5 with pending ones, 7 with failed ones."""
        sent = self.sent[self.api, self.question]
        missing = [name for name in scope if name not in sent]
        assert rows["total"] == len(self.names), self.log
        if refused and missing:
            assert code == 6, self.log
        elif command == "run":
            assert code in {0, 7}, self.log
            assert rows["pending"] <= len(self.names) - len(scope), self.log
            assert code == 0 or rows["failed"], self.log
        else:
            assert code == (5 if rows["pending"] else code), self.log
            assert rows["pending"] >= len([name for name in self.names if name not in sent]), self.log

    def check_table(self, document, before, content, *, complete, replace):
        """Check where the table of a command is, and that it took the place of no richer one."""
        rows = document["rows"]
        now = rows["completed"] + rows["rejected"]
        may_replace = complete or replace or before == "none"
        may_replace = may_replace or (before is not None and now >= answered(before))
        place = self.output if may_replace else self.partial
        assert document["output"] == str(place), (self.log, before, rows)
        counts = {status: count for status, count in rows.items() if count and status != "total"}
        assert Counter(statuses_of(place)) == counts, self.log
        if may_replace:
            assert not self.partial.exists(), self.log
        else:
            assert self.bytes(self.output) == content, self.log

    def kill(self):
        """Kill a run at a random moment: the output is the one before, or the complete one."""
        before, content = statuses_of(self.output), self.bytes(self.output)
        flags = ["-q", "--base-url", self.servers[self.api].url]
        process = started("run", "spec.yaml", *flags, cwd=self.folder)
        requests = self.servers[self.api].journal_file.stat
        size = requests().st_size
        until(lambda: requests().st_size > size or process.poll() is not None, 120)
        time.sleep(self.random.random() * 0.2)
        process.kill()
        process.communicate()
        self.killed = True
        self.settle(self.servers[self.api])
        created = self.take_created()
        self.remember([sha for _, sha in created[self.api]], active=True)
        if self.bytes(self.output) != content:
            after = statuses_of(self.output)
            assert len(after) == len(self.names), self.log
            assert "pending" not in after, self.log
            if "failed" in after:  # the killed run would have ended with 7
                assert before == "none" or (before and answered(after) >= answered(before)), self.log
        self.log.append(process.returncode)

    @staticmethod
    def settle(server):
        """Wait for a request that was on its way: the server takes one from later, and writes it to the journal."""
        before = len(server.requests())
        httpx.get(f"{server.url}/v1/tasks/runs/later")
        until(lambda: any(line["path"].endswith("/later") for line in server.requests()[before:]), 120)
        time.sleep(0.1)

    def look(self):
        content = self.bytes(self.output)
        url = self.servers[self.api].url
        for command in ("status", "plan"):
            assert main([command, str(self.folder / "spec.yaml"), "--base-url", url, "-q"]) == 0, self.log
        assert self.bytes(self.output) == content, self.log
        assert self.take_created() == [[], []], self.log

    # --- money -------------------------------------------------------------------------------------------

    def check_spend(self):
        folder = self.folder / ".rowcite" / "small"
        with closing(open_ledger(folder, writing=False)) as ledger:
            spent, states = ledger.spent(), ledger.state_counts()
        made = self.created.total() * PRICE
        if states.get("intended"):
            assert self.killed, self.log
            assert spent >= made, self.log
        else:
            assert spent == made, (self.log, states)

    def finish(self, capsys):
        """Collect what a killed command left at either API; then everything is known and paid for once."""
        for api in range(len(self.servers)):
            for question in range(3):
                self.api, self.question, self.names = api, question, self.all_names[:1]
                self.write_input()
                code, _ = self.call(capsys, "run")
                assert code in {0, 7}, self.log
                self.take_created()
        self.killed = False
        self.check_spend()

    @staticmethod
    def bytes(file):
        return file.read_bytes() if file.exists() else None


@pytest.mark.parametrize("seed", numbered(SEQUENCES))
def test_no_sequence_of_commands_loses_answered_rows_or_pays_twice(tmp_path, servers, capsys, seed):
    world = World(tmp_path, servers, seed)
    for _ in range(COMMANDS):
        world.change()
        world.command(capsys)
    world.finish(capsys)
