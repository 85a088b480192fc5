"""Measure the cost and the answers of escalation and of packs on the local engine. No figure is about another engine.

    python benchmarks/escalation.py          prints and writes escalation.md, in a minute or two

Each line is the real command over sample_data/accounts.csv against `rowcite serve`, with a new ledger, at list prices.
Answers are compared with the known facts about the sample companies. Nothing is written unless the list price of the
runs in the server's journal equals the spend in the ledger.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).parent / "research"))

from compare import Truth, is_right  # noqa: E402

from rowcite.api.facts import PROCESSORS, usd  # noqa: E402
from rowcite.ledger import open_ledger  # noqa: E402
from rowcite.pipeline.overrides import Overrides  # noqa: E402
from rowcite.pipeline.prepare import prepare  # noqa: E402
from rowcite.rows.resolver import RowResolver  # noqa: E402

ROWCITE = [sys.executable, "-m", "rowcite"]
FIELDS = {
    "industry": {"type": "string", "description": "Main industry or line of business"},
    "employee_count": {"type": "integer", "description": "Latest number of employees (head count)"},
    "founded_year": {"type": "integer", "description": "Year the company was founded"},
    "headquarters": {"type": "string", "description": "City and country of the headquarters"},
    "funding_stage": {
        "enum": ["Seed", "Series A", "Series B+", "Public"],
        "description": "Latest funding stage",
    },
    "key_products": {"type": "array", "items": "string", "description": "Up to five main products"},
}
FAMILIES = dict(zip(FIELDS, ("text", "integer", "year", "place", "enum", "list"), strict=True))
POLICIES: dict[str, dict[str, Any]] = {
    "medium": {"min_confidence": "medium"},
    "medium, every field required": {"min_confidence": "medium", "required": list(FIELDS)},
    "high, every field required": {"min_confidence": "high", "required": list(FIELDS)},
}
SINGLE, PACKS = ("lite", "core", "pro"), (1, 5, 20)
SEQUENCES = (("lite", "core", "pro"), ("core", "pro"))


@dataclass
class Cells:
    """Counts of the cells of distinct tasks: stated by a page, given an answer, right, accepted, accepted but wrong."""

    total: int = 0
    stated: int = 0
    given: int = 0
    right: int = 0
    accepted: int = 0
    wrong: int = 0


@dataclass
class Ran:
    """The figures of one command: cost in micro-US$, requests, wall time in seconds, runs by processor."""

    cost: int
    requests: int
    wall: float
    runs: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Measure, print, and write escalation.md."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as server:
        text = document(*sequences(server), packs(server), lambda: time.monotonic() - began)
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


# --- measurements ------------------------------------------------------------------------------------


def sequences(server: Server) -> tuple[Cells, str]:
    """Return the cells of the last line, and the table of single processors and of sequences, for each policy."""
    single = {name: server.run(f"single-{name}", spec(name, accept={})) for name in SINGLE}
    lines = [line("policy", "processors", *_HEAD), rule(2)]
    for policy, accept in POLICIES.items():
        for name, ran in single.items():
            cells = server.cells(f"single-{name}", spec(name, accept=accept))
            lines.append(line(policy, name, *figures(ran, cells)))
        for first, *others in SEQUENCES:
            sequence, name = spec(first, accept=accept, escalate=others), " → ".join([first, *others])
            ran = server.run(f"{policy}, {name}", sequence, "--escalate-anyway")
            cells = server.cells(f"{policy}, {name}", sequence)
            lines.append(line(policy, name, *figures(ran, cells)))
    return cells, "\n".join(lines)


def packs(server: Server) -> str:
    """Return the table of packs, sent to `core` with the policy `medium`."""
    lines = [line("rows a run", *_HEAD), rule(1)]
    for size in PACKS:
        packed = spec("core", accept=POLICIES["medium"], records_per_run=size)
        ran = server.run(f"packs-{size}", packed)
        lines.append(line(str(size), *figures(ran, server.cells(f"packs-{size}", packed))))
    return "\n".join(lines)


def spec(
    processor: str, *, accept: dict[str, Any], escalate: Sequence[str] = (), **task: Any
) -> dict[str, Any]:
    """Return the spec of the sample for a processor."""
    inputs = {
        "company_name": {"column": "name", "required": True},
        "website": {"column": "website", "transform": "domain"},
        "city": {"column": "city"},
        "country": {"column": "country"},
    }
    return {
        "name": "escalation",
        "input": {"path": str(ROOT / "sample_data" / "accounts.csv"), "csv": {"null_values": ["", "N/A"]}},
        "output": {"path": "out.csv"},
        "task": {"processor": processor, "inputs": inputs, "outputs": FIELDS, **task},
        "accept": accept,
        "escalate": list(escalate),
        "limits": {"max_cost_usd": 1_000},
    }


_HEAD = ("cost", "runs", "cells given", "right", "accepted", "wrong accepted", "requests", "seconds")


def figures(ran: Ran, cells: Cells) -> list[str]:
    """Return the cells of a line in the order of `_HEAD`."""
    runs = " + ".join(f"{count} {name}" for name, count in ran.runs.items())
    share = f"{cells.wrong / cells.accepted:.0%}" if cells.accepted else "-"
    counted = (str(cells.given), str(cells.right), str(cells.accepted), f"{cells.wrong} ({share})")
    return [usd(ran.cost), runs, *counted, str(ran.requests), f"{ran.wall:.1f}"]


# --- the command and the server --------------------------------------------------------------------------


@dataclass
class Server:
    """The shipped server and the folder of the commands that use it."""

    url: str
    folder: Path
    journal: Path
    seen: int = 0

    def run(self, ledger: str, spec: dict[str, Any], *flags: str) -> Ran:
        """Run the command with a new ledger; check its spend against the runs that the server created."""
        command = [*ROWCITE, "run", str(self._write(spec)), "--base-url", self.url, "--ledger", ledger]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--yes", "--json", "-q", *flags], cwd=self.folder, capture_output=True, check=False
        )
        wall = time.monotonic() - began
        if done.returncode:
            raise SystemExit(f"{ledger}: ended with {done.returncode}: {done.stderr.decode()}")
        runs = self._created()
        with closing(open_ledger(self.folder / ledger, writing=False)) as opened:
            cost = opened.spent()
        if cost != sum(PROCESSORS[name].price * count for name, count in runs.items()):
            raise SystemExit(f"{ledger}: the ledger has {usd(cost)}, the server created {dict(runs)}")
        return Ran(cost, json.loads(done.stdout)["requests"], wall, runs)

    def cells(self, ledger: str, spec: dict[str, Any]) -> Cells:
        """Compare the cells resolved under the spec's policy with the known facts, each task once."""
        job = prepare(self._write(spec), Overrides(base_url=self.url), environ={}).job
        truths, counted, seen = truth(), Cells(), set[bytes]()
        with closing(open_ledger(self.folder / ledger, writing=False)) as opened:
            resolver = RowResolver(job.spec, job.reader.source.schema, opened)
            for batch in job.reader.batches(job.question):
                sites = batch.rows.frame["website"].to_list()
                for item in resolver.groups(batch.keys, batch.rows.frame):
                    facts = truths.get(site(sites[item.rows[0]]))
                    if facts is None or item.key in seen:
                        continue
                    seen.add(item.key)
                    count(counted, facts, zip(FIELDS, item.resolved.cells, strict=True))
        return counted

    def _write(self, spec: dict[str, Any]) -> Path:
        file = self.folder / "spec.yaml"
        file.write_text(json.dumps(spec), encoding="utf-8")
        return file

    def _created(self) -> Counter[str]:
        """Return the number of runs created since the last call, by processor."""
        created = [
            entry["processor"]
            for entry in map(json.loads, self.journal.read_text(encoding="utf-8").splitlines())
            if "input_sha256" in entry
        ]
        new, self.seen = created[self.seen :], len(created)
        return Counter(new)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run `rowcite serve` over the sample pages."""
    port, journal = folder / "port", folder / "journal.jsonl"
    corpus = str(ROOT / "sample_data" / "web")
    flags = [
        "--port",
        "0",
        "--port-file",
        str(port),
        "--journal",
        str(journal),
        "--cache",
        str(folder / "cache"),
    ]
    process = subprocess.Popen([*ROWCITE, "serve", "--corpus", corpus, *flags], stderr=subprocess.DEVNULL)
    try:
        while not port.exists():
            if process.poll() is not None:
                raise SystemExit(f"rowcite serve ended with {process.returncode}")
            time.sleep(0.05)
        yield Server(f"http://127.0.0.1:{port.read_text().strip()}", folder, journal)
    finally:
        process.terminate()
        process.wait()


# --- the known facts -------------------------------------------------------------------------------------------


def truth() -> dict[str, dict[str, Truth]]:
    """Return the facts about each sample company by domain; a field without a stated fact accepts no value."""
    with (ROOT / "tests" / "data" / "truth" / "accounts.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["domain"]: {name: _truth(name, row[name]) for name in FIELDS} for row in csv.DictReader(file)
        }


def _truth(name: str, text: str) -> Truth:
    text = text.replace("Unknown", "")
    parts = text.split(";") if FAMILIES[name] == "list" else [text]
    return Truth(FAMILIES[name], tuple(part for part in parts if part))


def site(website: str | None) -> str:
    """Return the domain of a row's website."""
    bare = (website or "").strip().lower().partition("//")
    return (bare[2] or bare[0]).removeprefix("www.").partition("/")[0]


def count(counted: Cells, facts: dict[str, Truth], cells: Any) -> None:
    """Add the cells of a task to the counts; no value is right for a field that no page states."""
    for name, cell in cells:
        right = cell.found not in (None, []) and is_right(cell.found, facts[name])
        accepted = cell.rejection is None and cell.value not in (None, [])
        counted.total += 1
        counted.stated += bool(facts[name].accepted)
        counted.given += cell.found not in (None, [])
        counted.right += right
        counted.accepted += accepted
        counted.wrong += accepted and not right


# --- the document ----------------------------------------------------------------------------------------


def line(*cells: str) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def rule(texts: int) -> str:
    """Return the line below the header: text columns left, figures right."""
    return line(*["---"] * texts, *["---:"] * len(_HEAD))


_READ_SEQUENCES = """How to read it: here `lite` reads one document, `core` up to eight and `pro` up to sixteen, and no value has high confidence
without a second source. A sequence that escalates rejected values alone keeps the nulls of `lite` as answers. One that requires every
field also pays for values that no page states. A policy that the first processor can never meet pays for every processor. Escalation
pays off where the first processor suffices for most rows, the policy separates its right answers from its wrong ones, and the next
processor finds more. `rowcite plan` shows the share of rows that are escalated; `lite → core` costs less than `core` while fewer than
80 of 100 are, `core → pro` less than `pro` while fewer than 75 are."""
_READ_PACKS = """The engine researches each record of a pack separately, so values do not change with the size; a processor that spends one
effort on all records may do worse. The evidence does change: a basis belongs to a whole record, and its confidence is the lowest of
the record's fields. So fewer values, right or wrong, meet a policy on confidence. Six fields of 5 records are also more than `core`
usefully fills (`rowcite check` warns about it)."""


def document(cells: Cells, sequences: str, packed: str, seconds: Callable[[], float]) -> str:
    """Return escalation.md."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return f"""# Cost and answers of escalation and of packs

**These figures are about the local engine of `rowcite serve`, not about the answers of Parallel's API.** Runs are counted at
Parallel's list prices, and nothing was paid. Try both on rows of your own table (`--limit 100`) before you choose.

Made by `make bench-escalation` in {seconds():.0f} s ({machine}): the real command over the sample accounts, six fields, against the
shipped server, compared with the [known facts](../tests/data/truth/accounts.csv) about the sample companies. Each task with a known company counts
once: {cells.total} cells; the sample pages state {cells.stated} of them. "Given" cells have an answer, "right" ones match the facts whether accepted
or not, "accepted" ones meet the policy, and "wrong accepted" ones meet it without being right. The server answers at once, so the
seconds are those of the command and the engine.

## Escalation

"Every field required" means that a null is not an answer and is escalated.

{sequences}

{_READ_SEQUENCES}

## Packs

Sent to `core` with the policy `medium`.

{packed}

{_READ_PACKS}
"""


if __name__ == "__main__":
    main()
