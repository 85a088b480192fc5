"""A seeded sample of rows to label, stratified by status and confidence, as a CSV to fill in."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rowcite.accept.evidence import score
from rowcite.errors import UsageError
from rowcite.evaluation.judging import level
from rowcite.evaluation.truth import STRATUM, STRATUM_ROWS, key_text
from rowcite.files import atomic_write, write_errors
from rowcite.inert import csv_line, without_formula
from rowcite.ledger import Ledger
from rowcite.model import ANSWERED_ROWS
from rowcite.pipeline.job import Job
from rowcite.rows.resolve import ResolvedRow
from rowcite.rows.resolver import RowResolver
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column

_LEAST = 2  # rows of each stratum, if it has as many


class Drawn(NamedTuple):
    """A sample: the rows drawn, the number of tasks of each stratum, and of those whose key another task has: they are not drawn."""

    rows: int
    strata: dict[str, int]
    ambiguous: int = 0


def draw(job: Job, ledger: Ledger, key: str, target: Path, *, size: int, seed: int) -> Drawn:  # noqa: PLR0913
    """Write a CSV with the key, the inputs, and a blank column for each field, of `size` answered tasks.

    Each stratum, by status and the lowest confidence of the row, gets its share of the rows and at least two. The file has the
    stratum of each row and its number of tasks, so that an evaluation can weight the labels.

    Raises:
        UsageError: the table lacks the key's column, the key identifies no row, or no row is answered.
    """
    if key not in job.reader.source.schema:
        raise UsageError(f"--key: {no_column(key, job.reader.source.schema)}")
    strata = _strata(job, ledger, key)
    if not strata:
        raise UsageError("no row is answered: there is nothing to draw from. Run `rowcite run` first")
    own = _with_own_key(strata, key)
    names = [name for name in _input_columns(job) if name != key]
    fields = [item.name for item in RowResolver(job.spec, job.reader.source.schema, ledger).fields]
    headings = map(without_formula, fields)
    lines = [csv_line([key, *names, *headings, STRATUM, STRATUM_ROWS])]
    chosen = _chosen(own, size, seed)
    for stratum, rows in chosen.items():
        for row in rows:
            inputs = ["" if row[name] is None else str(row[name]) for name in names]
            labels = [""] * len(fields)
            lines.append(csv_line([str(row[key]), *inputs, *labels, stratum, str(len(strata[stratum]))]))
    with write_errors(str(target)), atomic_write(target) as file:
        file.write("".join(lines).encode())
    sizes = {name: len(rows) for name, rows in strata.items()}
    ambiguous = sum(sizes.values()) - sum(map(len, own.values()))
    return Drawn(sum(map(len, chosen.values())), sizes, ambiguous)


_Strata = dict[str, list[dict[str, Any]]]  # the first row of each task, by stratum


def _with_own_key(strata: _Strata, key: str) -> _Strata:
    """Return the rows whose key no other task has."""
    times = Counter(key_text(row[key]) for rows in strata.values() for row in rows)
    own = {name: [row for row in rows if times[key_text(row[key])] == 1] for name, rows in strata.items()}
    if not any(own.values()):
        raise UsageError(
            f"--key: every value of {key} is in several rows with different inputs. Give a column that identifies a row"
        )
    return own


def _strata(job: Job, ledger: Ledger, key: str) -> _Strata:
    """Return the first row of each answered task, by stratum."""
    resolver = RowResolver(job.spec, job.reader.source.schema, ledger, decided=False)
    names = [key, *(name for name in _input_columns(job) if name != key)]
    found: _Strata = defaultdict(list)
    seen: set[bytes] = set()
    for batch in job.reader.batches(job.question):
        texts = own_texts(batch.rows, names)
        for group in resolver.groups(batch.keys, batch.rows.frame):
            if group.key in seen or group.resolved.status not in ANSWERED_ROWS:
                continue
            row = texts.row(group.rows[0], named=True)
            if key_text(row[key]):
                seen.add(group.key)
                found[_stratum(group.resolved)].append(row)
    return dict(sorted(found.items()))


def _stratum(row: ResolvedRow) -> str:
    confidences = [cell.confidence for cell in row.cells if cell.value is not None and cell.confidence]
    lowest = min(confidences, key=score, default=None)
    return f"{row.status} {level(lowest)}"


def _chosen(
    strata: dict[str, list[dict[str, Any]]], size: int, seed: int
) -> dict[str, Sequence[dict[str, Any]]]:
    """Return the rows drawn of each stratum: its share by largest remainder, at least two."""
    total = sum(map(len, strata.values()))
    size = min(size, total)
    least = {name: min(_LEAST, len(rows)) for name, rows in strata.items()}
    shares = {name: max(size * len(rows) / total, least[name]) for name, rows in strata.items()}
    counts = {name: int(amount) for name, amount in shares.items()}
    for name in sorted(shares, key=lambda name: counts[name] - shares[name]):
        if sum(counts.values()) < size and counts[name] < len(strata[name]):
            counts[name] += 1
    dice = random.Random(seed)  # noqa: S311 - a seeded sample, not a secret
    return {name: dice.sample(rows, min(counts[name], len(rows))) for name, rows in strata.items()}


def _input_columns(job: Job) -> list[str]:
    return list(job.reader.columns)
