"""A spec for a table: what is known about the table, and the choices that a user may change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rowcite.draft.entity import Entity, Pick, entity_of, input_name, pick_inputs, transform_of
from rowcite.draft.kinds import Known, known_columns
from rowcite.draft.sample import Sample
from rowcite.draft.suggestions import Suggestion, suggest
from rowcite.errors import TableError
from rowcite.table.columns import STATUS_COLUMNS
from rowcite.wording import plural


@dataclass(slots=True)
class Draft:
    """A spec as it will be written. `table` is the path as the user gave it, `spec` the file of the spec, `corpus` a folder to rehearse with."""

    table: str
    spec: Path
    sample: Sample
    columns: list[Known]
    entity: Entity
    picks: list[Pick]
    fields: list[Suggestion]
    corpus: str | None = None

    def describe(self, entity: Entity) -> None:
        """Take another kind of row, with the inputs and fields that fit it."""
        self.entity, self.picks = entity, pick_inputs(self.columns, entity)
        self.fields = suggest(self.columns, entity)

    def send(self, names: Sequence[str]) -> None:
        """Send these columns, and no others."""
        before = {pick.column: pick for pick in self.picks}
        picks: list[Pick] = []
        for known in (known for name in names for known in self.columns if known.name == name):
            taken = {pick.name for pick in picks} | {before[name].name for name in names if name in before}
            picks.append(
                before.get(known.name)
                or Pick(input_name(known.name, taken), known, transform=transform_of(known))
            )
        self.picks = picks

    def find(self, names: Sequence[str]) -> None:
        """Ask for these fields, and no others."""
        self.fields = [replace(field, active=field.name in names) for field in self.fields]


def draft(table: str, spec: Path, sample: Sample, entity: Entity | None = None) -> Draft:
    """Return the spec that fits a table.

    Raises:
        TableError: rowcite wrote the table, or no column of it can be sent.
    """
    if own := [column.name for column in sample.columns if column.name in STATUS_COLUMNS]:
        raise TableError(
            f"{table}: the table has {', '.join(own)}: rowcite wrote it. Give the original table"
        )
    columns = known_columns(sample)
    entity = entity or entity_of(columns)
    picks = pick_inputs(columns, entity)
    if not picks:
        raise TableError(
            f"{table}: no column has values that can be sent. Give a table with names, domains or addresses"
        )
    return Draft(table, spec, sample, columns, entity, picks, suggest(columns, entity))


def spec_name(table: str) -> str:
    """Return the name of a spec for a table: the name of its file, as far as it can name a folder."""
    last = Path(table.split("?", 1)[0].rstrip("/")).name if table != "-" else "table"
    stem = last.split(".")[0] if not any(sign in last for sign in "*[") else Path(table).parent.name
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:100] or "table"


def shown_path(table: str) -> str:
    """Return a table's path for a message: an address without its query, which may have a key."""
    return table.split("?", 1)[0] if "://" in table else "stdin" if table == "-" else table


def form_text(sample: Sample) -> str:
    """Return how a table is written, as a message names it."""
    form = sample.form
    parts: list[str] = [form.kind]
    if form.separator is not None:
        parts.append({"\t": "separated by tabs"}.get(form.separator, f'separator "{form.separator}"'))
    if form.encoding is not None:
        guess = f' (a guess: "{form.encoding.example}")' if form.encoding.example else ""
        parts.append(f"encoding {form.encoding.name}{guess}")
    if len(form.sheets) > 1:
        parts.append(f'sheet "{form.sheets[0]}"')
    return f"{', '.join(parts)}, {plural(len(sample.columns), 'column')}"
