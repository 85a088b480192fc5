"""Ledgers with known answers, written as a run writes them, so that tests can check every value read from them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rowcite.api.keys import canonical
from rowcite.ledger import Ledger, open_ledger
from rowcite.model import EndedRun, RunState, StoredRun, Task
from rowcite.pipeline.overrides import Overrides
from rowcite.pipeline.prepare import Prepared, prepare

NOWHERE = "http://127.0.0.1:9"
FIELDS = {
    "industry": {"type": "string", "description": "Main industry"},
    "employee_count": {"type": "integer", "description": "Head count"},
    "listed": {"type": "boolean", "description": "Is it listed"},
    "products": {"type": "array", "items": "string", "description": "Products"},
}


def spec(**changes: Any) -> dict[str, Any]:
    """Return a spec that asks for FIELDS of rows with a name and an id."""
    whole: dict[str, Any] = {
        "name": "known",
        "input": {"path": "table.csv"},
        "output": {"path": "out/known.csv"},
        "task": {
            "processor": "core",
            "inputs": {"company_name": {"column": "name", "required": True}},
            "outputs": FIELDS,
        },
        "accept": {"min_confidence": "medium", "required": ["industry"]},
    }
    return {**whole, **changes}


def found(value: Any, confidence: str | None = "high", **basis: Any) -> dict[str, Any]:
    """Return a field's answer: a value, how sure it is, and `url`, `title`, `excerpts`, `reasoning` of its evidence.

    `elements` has the same for the elements of a list.
    """
    url = basis.get("url", "https://source.example/page")
    citation = {
        "url": url,
        "title": basis.get("title", "A page"),
        "excerpts": basis.get("excerpts", ["It says so."]),
    }
    return {
        "value": value,
        "confidence": confidence,
        "citations": [citation] if url else [],
        "reasoning": basis.get("reasoning", "The page says so."),
        "elements": basis.get("elements", []),
    }


def answer(**fields: dict[str, Any]) -> bytes:
    """Return a run's output, as the API sends it; members of FIELDS that are not named are null."""
    content = {name: fields[name]["value"] if name in fields else None for name in {**FIELDS, **fields}}
    basis = [
        {
            "field": name,
            "reasoning": item["reasoning"],
            "citations": item["citations"],
            **({"confidence": item["confidence"]} if item["confidence"] else {}),
        }
        for field, whole in fields.items()
        for name, item in [
            (field, whole),
            *((f"{field}.{at}", element) for at, element in enumerate(whole["elements"])),
        ]
    ]
    return json.dumps({"type": "json", "content": content, "basis": basis}).encode()


def known(folder: Path, rows: Sequence[dict[str, str]], **changes: Any) -> Path:
    """Write a table and its spec; return the spec's path."""
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    path = folder / "spec.yaml"
    path.write_text(json.dumps(spec(**changes)), encoding="utf-8")
    return path


def ready(path: Path, api: str = NOWHERE) -> Prepared:
    """Return a spec prepared for an API, by default an address where no server listens."""
    return prepare(path, Overrides(base_url=api))


def answered(
    path: Path, outputs: Iterable[bytes | str | None], *, batch: int = 1_000, api: str = NOWHERE
) -> Prepared:
    """Write answers into the ledger of a spec, one a distinct question: bytes are outputs, texts are errors of failed runs."""
    prepared = ready(path, api)
    job, answers = prepared.job, iter(outputs)
    ledger = open_ledger(prepared.ledger, writing=True)
    question = ledger.record_question(job.question.fingerprint, canonical(job.question.named))
    for rows in job.reader.batches(job.question):
        tasks = [Task(key, text) for key, text in rows.tasks.items()]
        for start in range(0, len(tasks), batch):
            some = tasks[start : start + batch]
            opened = ledger.record_intent(question, f"tgrp_{start}", some, processor="core", price=job.price)
            ledger.record_created(opened.id, [f"trun_{task.key.hex()}" for task in some])
            ended = [
                (task.key, output) for task, output in zip(some, answers, strict=False) if output is not None
            ]
            ledger.save(opened.id, [_ended(key, output) for key, output in ended])
    ledger.close()
    return prepared


def runs_of(ledger: Ledger, tasks: Iterable[Task | bytes]) -> dict[bytes, StoredRun]:
    """Return one run of each task: the newest completed one, else the newest."""
    keys = [task.key if isinstance(task, Task) else task for task in tasks]
    return {
        runs[0].key: max(runs, key=lambda run: (run.state is RunState.COMPLETED, run.number))
        for runs in ledger.runs_by_task(keys)
    }


def _ended(key: bytes, output: bytes | str) -> EndedRun:
    name = f"trun_{key.hex()}"
    if isinstance(output, str):
        return EndedRun(key, name, RunState.FAILED, error=output)
    return EndedRun(key, name, RunState.COMPLETED, output)
