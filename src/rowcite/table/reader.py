"""Rows to tasks: which columns a run gets, what is done to them, which rows are asked about and which are not.

The work on a batch of rows is polars'; only distinct inputs become Python objects, once each, to be hashed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches

import polars as pl

from rowcite.api import column_text
from rowcite.api.bodies import Question
from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.api.keys import task_keys
from rowcite.errors import SpecError
from rowcite.model import RowStatus, TaskKey
from rowcite.rows.given import has_blank
from rowcite.spec.fields import fields, value_column
from rowcite.spec.models import Spec, Transform
from rowcite.table.inputs import can_be_sent, json_type, value_of
from rowcite.table.sources import Rows, Source, coalesce, limited
from rowcite.table.where import listed, predicate, where_problem

_TEXT, _KEY, _LONG, _STATUS, _WHY = "\0text", "\0key", "\0long", "\0status", "\0why"  # no column is named so
_PROMPT = "prompt"  # the one input column when the spec has a prompt
_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows with what is asked about each.

    `keys` (Binary) is null for a row that is not asked about; then `status` (`skipped` or `failed`) and `why`
    say why. `tasks` holds the distinct inputs of the batch, as JSON, by key.
    """

    rows: Rows
    keys: pl.Series
    status: pl.Series
    why: pl.Series
    tasks: dict[TaskKey, bytes] = field(default_factory=dict)


class Reader:
    """Reads a table's rows as tasks of a spec. Can be read any number of times.

    Raises:
        SpecError: the spec names a column that the table lacks, or its `where` cannot be used on it.
    """

    def __init__(self, source: Source, spec: Spec, *, limit: int | None = None) -> None:
        self.source, self.spec, self.limit = source, spec, limit
        self._check_columns()
        self._where = predicate(spec, source.schema)
        self._blank = self._blanks()
        self._exprs = self._prompt_exprs() if spec.task.prompt is not None else self._input_exprs()
        empty = pl.DataFrame(schema=source.schema).select(self._exprs)
        self.types = {name: json_type(dtype) for name, dtype in empty.schema.items()}
        self._columns = list(dict.fromkeys(name for expr in self._exprs for name in expr.meta.root_names()))
        # Only of values that are the same when they are equal: 0.0 and -0.0 are not.
        self._repeats = all(
            dtype in (pl.String, pl.Boolean, pl.Date) or dtype.is_integer()
            for dtype in (source.schema[name] for name in self._columns)
        )
        self._required = [name for name, item in (spec.task.inputs or {}).items() if item.required]

    def batches(self, question: Question) -> Iterator[Batch]:
        """Yield the table's rows in order, each with the key of the task that answers it."""
        room = TASK_AND_INPUT_CHARS - len(question.task_spec.decode())
        asked = question.fingerprint
        for rows in coalesce(limited(self.source.batches(), self.limit)):
            yield self._batch(rows, asked, room)

    def _batch(self, rows: Rows, asked: bytes, room: int) -> Batch:
        named = rows.frame.select(self._columns)
        aside = self._aside(rows.frame)
        distinct = named.unique(maintain_order=True) if self._repeats else named
        asked_of, texts_of = self._asked(distinct, asked, room)
        if distinct.height < named.height:
            asked_of = named.join(
                distinct.hstack(asked_of),
                on=named.columns,
                how="left",
                nulls_equal=True,
                maintain_order="left",
            )
        keys, status, why = asked_of[_KEY], asked_of[_STATUS], asked_of[_WHY]
        if aside is not None:
            keys = keys.zip_with(aside.is_null(), pl.Series([None], dtype=pl.Binary))
            status = status.zip_with(aside.is_null(), pl.Series([RowStatus.SKIPPED.value]))
            why = why.zip_with(aside.is_null(), aside)
            texts_of = {key: texts_of[key] for key in keys.drop_nulls().unique(maintain_order=True).to_list()}
        return Batch(rows, keys=keys, status=status, why=why, tasks=texts_of)

    def _asked(
        self, named: pl.DataFrame, asked: bytes, room: int
    ) -> tuple[pl.DataFrame, dict[TaskKey, bytes]]:
        """Return each row's key, or its status and why it has none; and the text of each key."""
        inputs = named.select(self._exprs)
        why = self._skips(inputs)
        said = (
            column_text.values(inputs[_PROMPT])
            if self.spec.task.prompt is not None
            else column_text.objects(inputs)
        )
        text = said.zip_with(why.is_null(), pl.Series([None], dtype=pl.String))
        found = pl.DataFrame({_TEXT: text.drop_nulls().unique(maintain_order=True)})
        encoded = [text.encode() for text in found[_TEXT].to_list()]
        keys = task_keys(asked, encoded)
        long = _too_long(found[_TEXT], room)
        found = found.with_columns(pl.Series(_KEY, keys, dtype=pl.Binary), long)
        texts_of = {
            key: text for key, text, told in zip(keys, encoded, long.to_list(), strict=True) if told is None
        }
        spread = text.to_frame(_TEXT).join(found, on=_TEXT, how="left", maintain_order="left")
        return spread.select(
            pl.when(pl.col(_LONG).is_null()).then(_KEY).alias(_KEY),
            pl.when(pl.lit(why).is_not_null())
            .then(pl.lit(RowStatus.SKIPPED.value))
            .when(pl.col(_LONG).is_not_null())
            .then(pl.lit(RowStatus.FAILED.value))
            .alias(_STATUS),
            pl.coalesce(pl.lit(why), _LONG).alias(_WHY),
        ), texts_of

    def _skips(self, inputs: pl.DataFrame) -> pl.Series:
        """Say of every row why nothing is asked about it; null for the others."""
        reasons = [
            *(
                pl.when(pl.col(name).is_null()).then(pl.lit(f"required input `{name}` is blank"))
                for name in self._required
            ),
            pl.when(pl.all_horizontal(pl.all().is_null())).then(pl.lit("every input is blank")),
        ]
        return inputs.select(pl.coalesce(reasons).alias("why")).to_series().cast(pl.String)

    def _aside(self, frame: pl.DataFrame) -> pl.Series | None:
        """Say why a row is left out whatever its inputs are; null for the others, None where that is never so."""
        if self._where is None and self._blank is None:
            return None
        reasons = []
        if self._where is not None:
            reasons.append(pl.when(~self._where.fill_null(value=False)).then(pl.lit("outside `where`")))
        if self._blank is not None:
            reasons.append(pl.when(~self._blank).then(pl.lit("nothing to fill")))
        try:
            return frame.select(pl.coalesce(reasons).alias("why")).to_series().cast(pl.String)
        except pl.exceptions.PolarsError as error:
            raise where_problem(self.spec, self.source.schema, error) from error

    # --- columns -------------------------------------------------------------------------------------

    def _check_columns(self) -> None:
        places = _placeholders(self.spec.task.prompt) if self.spec.task.prompt is not None else []
        named: list[tuple[tuple[str, ...], str]] = [
            (("task", "inputs", name, "column"), item.column)
            for name, item in (self.spec.task.inputs or {}).items()
        ]
        named += [(("task", "prompt"), name) for name in places]
        problems = [
            problem
            for path, column in named
            if column not in self.source.schema
            for problem in self.spec.problem(path, self._no_such(column)).problems
        ]
        problems += [
            problem
            for path, column in named
            if not can_be_sent(self.source.schema.get(column, pl.String()))
            for problem in self.spec.problem(path, self._cannot_send(column)).problems
        ]
        if problems:
            raise SpecError(self.spec.file, problems)
        if self.spec.task.prompt is not None and not places:
            raise self.spec.problem(
                ("task", "prompt"),
                "the prompt names no column, so that every row would ask the same. Write one in braces, such as {name}",
            )

    def _blanks(self) -> pl.Expr | None:
        """Return what is true for rows with something to fill; None where every row is asked about."""
        if self.spec.columns.existing != "fill":
            return None
        wanted = [value_column(self.spec, field.name) for field in fields(self.spec)]
        return has_blank(wanted, self.source.schema, self.spec.input.csv.null_values)

    def _cannot_send(self, column: str) -> str:
        return (
            f'column "{column}" has the type {self.source.schema[column]}, which cannot be sent. '
            "Use a text, number, boolean or date column, or turn it into text in the table"
        )

    def _no_such(self, column: str) -> str:
        near = get_close_matches(column, self.source.schema, 1, 0.6)
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        shown = listed(self.source.schema)
        return f'column "{column}" is not in the table{hint}. Columns: {shown}. Rename it in the spec or the table'

    def _input_exprs(self) -> list[pl.Expr]:
        inputs = self.spec.task.inputs or {}
        return [self._value(item.column, item.transform).alias(name) for name, item in inputs.items()]

    def _value(self, column: str, transform: Transform) -> pl.Expr:
        return value_of(column, self.source.schema[column], transform, self.spec.input.csv.null_values)

    def _prompt_exprs(self) -> list[pl.Expr]:
        """Build the prompt of each row; null where every column that it names is blank."""
        template, parts, at = self.spec.task.prompt or "", [], 0
        values = {name: self._value(name, "strip").cast(pl.String) for name in _placeholders(template)}
        for match in _PLACE.finditer(template):
            parts.append(pl.lit(template[at : match.start()]))
            parts.append(values[match[1]].fill_null("") if match[1] else pl.lit(match[0][0]))
            at = match.end()
        text = pl.concat_str([*parts, pl.lit(template[at:])])
        if not values:
            return [text.alias(_PROMPT)]
        return [
            pl.when(pl.any_horizontal(value.is_not_null() for value in values.values()))
            .then(text)
            .alias(_PROMPT)
        ]


def _placeholders(template: str) -> list[str]:
    return list(dict.fromkeys(match[1] for match in _PLACE.finditer(template) if match[1]))


def _too_long(text: pl.Series, room: int) -> pl.Series:
    """Say of inputs that are larger than the API takes together with the task spec; null for the others."""
    told = [
        f"the input has {size:,} characters, and the API takes {max(room, 0):,} beside this task spec"
        if size > room
        else None
        for size in text.str.len_chars()
    ]
    return pl.Series(_LONG, told, dtype=pl.String)
