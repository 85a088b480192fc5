"""Measure what a ladder of processors and packs of rows cost and find, on the local engine: no claim about anybody else's.

    python benchmarks/ladder.py          prints and writes ladder.md, in a minute or two

Every line is the real command over sample_data/accounts.csv against `rowcite serve`, each with a ledger of its own, at list
prices. What was found is held to the truth of the sample companies. The runs that the server created, by its journal, must
come to the spend by the ledger, or nothing is written.
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
from rowcite.pipeline.prepare import Overrides, prepare  # noqa: E402
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
BARS: dict[str, dict[str, Any]] = {
    "medium": {"min_confidence": "medium"},
    "medium, every field required": {"min_confidence": "medium", "required": list(FIELDS)},
    "high, every field required": {"min_confidence": "high", "required": list(FIELDS)},
}
ALONE, PACKS = ("lite", "core", "pro"), (1, 5, 20)
LADDERS = (("lite", "core", "pro"), ("core", "pro"))


@dataclass
class Cells:
    """Cells of distinct questions: `stated` are those that a page says something of, `given` have an answer, `accepted` one that counts."""

    asked: int = 0
    stated: int = 0
    given: int = 0
    right: int = 0
    accepted: int = 0
    wrong: int = 0


@dataclass
class Ran:
    """What one command did. `cost` is micro-US$, `wall` seconds, `runs` by processor."""

    cost: int
    requests: int
    wall: float
    runs: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Measure, print, and write ladder.md."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as server:
        text = document(*ladders(server), packs(server), lambda: time.monotonic() - began)
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


# --- what is measured ------------------------------------------------------------------------------------


def ladders(server: Server) -> tuple[Cells, str]:
    """Return the cells of the last line, and the table of processors alone and of ladders, under each bar."""
    alone = {name: server.run(f"alone-{name}", spec(name, accept={})) for name in ALONE}
    lines = [line("bar", "asked", *_HEAD), rule(2)]
    for bar, accept in BARS.items():
        for name, ran in alone.items():
            cells = server.cells(f"alone-{name}", spec(name, accept=accept))
            lines.append(line(bar, name, *figures(ran, cells)))
        for first, *others in LADDERS:
            ladder, name = spec(first, accept=accept, escalate=others), " → ".join([first, *others])
            ran = server.run(f"{bar}, {name}", ladder, "--escalate-anyway")
            cells = server.cells(f"{bar}, {name}", ladder)
            lines.append(line(bar, name, *figures(ran, cells)))
    return cells, "\n".join(lines)


def packs(server: Server) -> str:
    """Return the table of packs, asked of `core` under the bar `medium`."""
    lines = [line("rows a run", *_HEAD), rule(1)]
    for size in PACKS:
        asked = spec("core", accept=BARS["medium"], records_per_run=size)
        ran = server.run(f"packs-{size}", asked)
        lines.append(line(str(size), *figures(ran, server.cells(f"packs-{size}", asked))))
    return "\n".join(lines)


def spec(
    processor: str, *, accept: dict[str, Any], escalate: Sequence[str] = (), **task: Any
) -> dict[str, Any]:
    """Return the sample's question to a processor."""
    inputs = {
        "company_name": {"column": "name", "required": True},
        "website": {"column": "website", "transform": "domain"},
        "city": {"column": "city"},
        "country": {"column": "country"},
    }
    return {
        "name": "ladder",
        "input": {"path": str(ROOT / "sample_data" / "accounts.csv"), "csv": {"null_values": ["", "N/A"]}},
        "output": {"path": "out.csv"},
        "task": {"processor": processor, "inputs": inputs, "outputs": FIELDS, **task},
        "accept": accept,
        "escalate": list(escalate),
        "limits": {"max_cost_usd": 1_000},
    }


_HEAD = ("cost", "runs", "cells given", "right", "accepted", "wrong accepted", "requests", "seconds")


def figures(ran: Ran, cells: Cells) -> list[str]:
    """Return the figures of a line, as its heads say."""
    runs = " + ".join(f"{count} {name}" for name, count in ran.runs.items())
    share = f"{cells.wrong / cells.accepted:.0%}" if cells.accepted else "-"
    counted = (str(cells.given), str(cells.right), str(cells.accepted), f"{cells.wrong} ({share})")
    return [usd(ran.cost), runs, *counted, str(ran.requests), f"{ran.wall:.1f}"]


# --- the command and the server --------------------------------------------------------------------------


@dataclass
class Server:
    """The shipped server, and the folder in which the command runs against it."""

    url: str
    folder: Path
    journal: Path
    seen: int = 0

    def run(self, ledger: str, asked: dict[str, Any], *flags: str) -> Ran:
        """Run the command with a ledger of its own, and hold its spend to what the server created."""
        command = [*ROWCITE, "run", str(self._spec(asked)), "--base-url", self.url, "--ledger", ledger]
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
            raise SystemExit(f"{ledger}: the ledger says {usd(cost)}, the server created {dict(runs)}")
        return Ran(cost, json.loads(done.stdout)["requests"], wall, runs)

    def cells(self, ledger: str, asked: dict[str, Any]) -> Cells:
        """Count the cells that the ledger comes to under the spec's bar, held to the truth; each question once."""
        job = prepare(self._spec(asked), Overrides(base_url=self.url), environ={}).job
        truths, counted, seen = truth(), Cells(), set[bytes]()
        with closing(open_ledger(self.folder / ledger, writing=False)) as opened:
            resolver = RowResolver(job.spec, job.reader.source.schema, opened)
            for batch in job.reader.batches(job.question):
                sites = batch.rows.frame["website"].to_list()
                for item in resolver.groups(batch.keys, batch.rows.frame):
                    told = truths.get(site(sites[item.rows[0]]))
                    if told is None or item.key in seen:
                        continue
                    seen.add(item.key)
                    count(counted, told, zip(FIELDS, item.resolved.cells, strict=True))
        return counted

    def _spec(self, asked: dict[str, Any]) -> Path:
        file = self.folder / "spec.yaml"
        file.write_text(json.dumps(asked), encoding="utf-8")
        return file

    def _created(self) -> Counter[str]:
        """Return the runs that the server created since it was last asked, by processor."""
        created = [
            told["processor"]
            for told in map(json.loads, self.journal.read_text(encoding="utf-8").splitlines())
            if "input_sha256" in told
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


# --- the truth -------------------------------------------------------------------------------------------


def truth() -> dict[str, dict[str, Truth]]:
    """Return what is true of each sample company, by its domain; a field that no page states accepts nothing."""
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


def count(counted: Cells, told: dict[str, Truth], cells: Any) -> None:
    """Count a question's cells: nothing is right of a field that no page states."""
    for name, cell in cells:
        right = cell.found not in (None, []) and is_right(cell.found, told[name])
        accepted = cell.rejection is None and cell.value not in (None, [])
        counted.asked += 1
        counted.stated += bool(told[name].accepted)
        counted.given += cell.found not in (None, [])
        counted.right += right
        counted.accepted += accepted
        counted.wrong += accepted and not right


# --- the document ----------------------------------------------------------------------------------------


def line(*cells: str) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def rule(texts: int) -> str:
    """Return the line below the heads: texts to the left, figures to the right."""
    return line(*["---"] * texts, *["---:"] * len(_HEAD))


_READ_LADDER = """Why the lines are as they are: here `lite` reads one document, `core` up to eight and `pro` up to sixteen, and no value is of high
confidence without a second source. So a ladder that asks again only for what was refused keeps `lite`'s nulls as answers; one that
asks for every null again also pays for what no page states; and a bar that the first step can never meet pays for every step. A ladder pays
where the first step is enough for most rows, the bar tells its right answers from its wrong ones, and the next step
finds more. Of each 100 answers, the share that goes on is in `rowcite plan`; `lite → core` costs less than `core` while fewer
than 80 go on, `core → pro` less than `pro` while fewer than 75 do."""
_READ_PACKS = """The engine researches each record of a pack by itself, so its values do not change with the size: a processor that has the same
effort for all of them may well do worse. What does change is the evidence: a basis is of a whole record, not of a field, and its confidence is
that of its least sure field. So fewer values meet a bar on confidence, wrong ones and right ones. Six fields of 5 records are
also more than `core` usefully fills (`rowcite check` warns of it)."""


def document(cells: Cells, ladder: str, packed: str, seconds: Callable[[], float]) -> str:
    """Return ladder.md."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return f"""# What a ladder and packs cost and find

**These are figures of the local engine that `rowcite serve` ships: they say nothing about the answers of Parallel's API.** Runs
are counted at Parallel's list prices, and nothing was paid. Try both on some rows of your own (`--limit 100`) before you choose.

Made by `make bench-ladder` in {seconds():.0f} s ({machine}): the real command over the sample accounts, six fields, against the
shipped server, held to the [truth](../tests/data/truth/accounts.csv) of the sample companies. Each question whose company is known counts
once: {cells.asked} cells, of which the sample pages state {cells.stated}. "Given" cells have an answer, "right" ones say what the truth does whether
they were accepted or not, "accepted" ones meet the bar, and "wrong accepted" are those of them that are not right. The server
answers at once, so seconds are the command's and the engine's own.

## A ladder

Every line of one bar is held to that bar. "Every field required" means that a null is not an answer and is asked again.

{ladder}

{_READ_LADDER}

## Packs

Asked of `core`, held to the bar `medium`.

{packed}

{_READ_PACKS}
"""


if __name__ == "__main__":
    main()
