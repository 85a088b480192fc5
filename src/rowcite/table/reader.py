"""Rows to tasks: the input of each row, its key, or the reason why it is skipped.

polars does the work on a batch of rows. Only distinct inputs become Python objects, once each, to be hashed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import polars as pl

from rowcite.api import column_text
from rowcite.api.bodies import Question
from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.api.keys import task_keys
from rowcite.errors import SpecError
from rowcite.model import RowStatus, TaskKey
from rowcite.progress import count_read, table_pass
from rowcite.rows.given import has_blank
from rowcite.spec.fields import fields, value_column
from rowcite.spec.models import Spec, Transform
from rowcite.table.fillable import fillable
from rowcite.table.inputs import can_be_sent, json_type, value_of
from rowcite.table.sources import WITH_LINES, CellFault, Rows, Source, coalesce, limited
from rowcite.table.sources.csv_hints import other_separator
from rowcite.table.sources.members import OTHER, members
from rowcite.table.where import no_column, predicate, where_problem

_TEXT, _KEY, _LONG, _STATUS, _WHY = "\0text", "\0key", "\0long", "\0status", "\0why"  # not names of columns
_PROMPT = "prompt"  # the only input column of a spec with a prompt
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows with the task of each.

    `keys` (Binary) is null for a row without a task, which has a `status` (`skipped` or `failed`) and a reason (`why`).
    `tasks` has the distinct inputs of the batch, as JSON, by key. `numbers` are those of the rows in the table, from 0.
    """

    rows: Rows
    keys: pl.Series
    status: pl.Series
    why: pl.Series
    tasks: dict[TaskKey, bytes] = field(default_factory=dict)
    numbers: Sequence[int] = ()

    @property
    def statuses(self) -> Counter[str | None]:
        """Return how many rows have each status; None for those with a task."""
        return Counter(dict(self.status.value_counts().iter_rows()))


class Reader:
    """Reads a table's rows as tasks of a spec, any number of times. Answers are requested for the first `limit` rows.

    Raises:
        SpecError: the spec names a column that the table lacks, or its `where` cannot be used on it.
    """

    def __init__(self, source: Source, spec: Spec, *, limit: int | None = None) -> None:
        source = fillable(source, spec)
        self.source, self.spec, self.limit = source, spec, limit
        self._lines = source.format in WITH_LINES
        self._where = predicate(spec, source.schema)
        self._check_columns()
        self._blank = self._blanks()
        self._exprs = self._prompt_exprs() if spec.task.prompt is not None else self._input_exprs()
        names = dict.fromkeys(name for expr in self._exprs for name in expr.meta.root_names())
        self.columns = [name for name in names if name in source.schema]
        empty = self._sent_columns(Rows(pl.DataFrame(schema=source.schema), lines=[])).select(self._exprs)
        # The type of such a column in the frame depends on other rows.
        self.types = {} if self._lines else {name: json_type(dtype) for name, dtype in empty.schema.items()}
        # NaN, -0.0 and times do not compare as their texts do. Members of JSON lines are texts.
        self._can_deduplicate = self._lines or all(
            dtype in (pl.String, pl.Boolean, pl.Date) or dtype.is_integer()
            for dtype in (source.schema[name] for name in self.columns)
        )
        self._required = [name for name, item in (spec.task.inputs or {}).items() if item.required]

    def batches(self, question: Question) -> Iterator[Batch]:
        """Yield all rows of the table in order, each with the key of its task."""
        return self._batches(question, None)

    def batches_within_limit(self, question: Question) -> Iterator[Batch]:
        """Yield the rows in order for which answers may be requested."""
        return self._batches(question, self.limit)

    def _batches(self, question: Question, limit: int | None) -> Iterator[Batch]:
        most, fingerprint = TASK_AND_INPUT_CHARS - len(question.task_spec.decode()), question.fingerprint
        before = 0
        with table_pass():
            for rows in coalesce(limited(self.source.batches(), limit)):
                batch = self._batch(rows, before, fingerprint, most)
                before += rows.frame.height
                count_read(rows=rows.frame.height)
                del rows  # the caller's batch is the only one in memory while the next one is read
                yield batch
                del batch

    def _batch(self, rows: Rows, before: int, fingerprint: bytes, most: int) -> Batch:
        columns = self._sent_columns(rows)
        excluded = self._excluded(rows.frame)
        distinct = columns.unique(maintain_order=True) if self._can_deduplicate else columns
        keyed, tasks = self._keyed(distinct, fingerprint, most)
        if distinct.height < columns.height:
            keyed = columns.join(
                distinct.hstack(keyed),
                on=columns.columns,
                how="left",
                nulls_equal=True,
                maintain_order="left",
            )
        keys, status, why = keyed[_KEY], keyed[_STATUS], keyed[_WHY]
        if excluded is not None:
            included = excluded.is_null()
            keys = keys.zip_with(included, pl.Series([None], dtype=pl.Binary))
            status = status.zip_with(included, pl.Series([RowStatus.SKIPPED.value]))
            why = why.zip_with(included, excluded)
            tasks = {key: tasks[key] for key in keys.drop_nulls().unique(maintain_order=True).to_list()}
        return Batch(rows, keys, status, why, tasks, range(before, before + rows.frame.height))

    def _sent_columns(self, rows: Rows) -> pl.DataFrame:
        """Return the columns that inputs are made of: of JSON lines, each member as its line has it."""
        return members(rows, self.columns) if self._lines else rows.frame.select(self.columns)

    def _keyed(
        self, columns: pl.DataFrame, fingerprint: bytes, most: int
    ) -> tuple[pl.DataFrame, dict[TaskKey, bytes]]:
        """Return each row's key, or its status and the reason; and the input of each key."""
        parts = self._texts(columns)
        skipped = self._skip_reasons(parts)
        parts, unfit = self._typed(parts)
        text = parts[_PROMPT] if self.spec.task.prompt is not None else column_text.joined(parts)
        text = text.zip_with(skipped.is_null() & unfit.is_null(), pl.Series([None], dtype=pl.String))
        distinct = pl.DataFrame({_TEXT: text.drop_nulls().unique(maintain_order=True)})
        encoded = distinct[_TEXT].cast(pl.Binary).to_list()
        keys = task_keys(fingerprint, encoded)
        long = _too_long(distinct[_TEXT], most)
        distinct = distinct.with_columns(pl.Series(_KEY, keys, dtype=pl.Binary), long)
        tasks = dict(zip(keys, encoded, strict=True))
        for key in distinct.filter(pl.col(_LONG).is_not_null())[_KEY]:
            del tasks[key]
        all_differ = distinct.height == text.len()
        spread = distinct if all_differ else _spread(text, distinct)
        failed = pl.coalesce(pl.lit(unfit), _LONG)
        return spread.select(
            pl.when(pl.col(_LONG).is_null()).then(_KEY).alias(_KEY),
            pl.when(pl.lit(skipped).is_not_null())
            .then(pl.lit(RowStatus.SKIPPED.value))
            .when(failed.is_not_null())
            .then(pl.lit(RowStatus.FAILED.value))
            .alias(_STATUS),
            pl.coalesce(pl.lit(skipped), failed).alias(_WHY),
        ), tasks

    def _texts(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Return the JSON text of each input; null where it is blank."""
        inputs = columns.select(self._exprs)
        texts = inputs.select(column_text.values(inputs[name]).alias(name) for name in inputs.columns)
        if not self._lines or self.spec.task.inputs is None:
            return texts
        others = {name: columns[OTHER + item.column] for name, item in self.spec.task.inputs.items()}
        return texts.with_columns(
            pl.coalesce(name, pl.lit(other)).alias(name) for name, other in others.items()
        )

    def _typed(self, texts: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Return the inputs as the types that the spec gives them, and why a row has a value that does not fit."""
        kinds = {name: item.type for name, item in (self.spec.task.inputs or {}).items() if item.type}
        typed = texts.with_columns(column_text.as_type(texts[name], kind) for name, kind in kinds.items())
        reasons = [
            pl.when(texts[name].is_not_null() & typed[name].is_null()).then(
                pl.format(
                    "input `{}` is {}, which is not of the type {}", pl.lit(name), texts[name], pl.lit(kind)
                )
            )
            for name, kind in kinds.items()
        ]
        none = pl.lit(None, dtype=pl.String)
        return typed, texts.select(pl.coalesce(*reasons, none).alias("unfit")).to_series()

    def _skip_reasons(self, inputs: pl.DataFrame) -> pl.Series:
        """Return why each row is skipped for its inputs; null for the others."""
        reasons = [
            *(
                pl.when(pl.col(name).is_null()).then(pl.lit(f"required input `{name}` is blank"))
                for name in self._required
            ),
            pl.when(pl.all_horizontal(pl.all().is_null())).then(pl.lit("every input is blank")),
        ]
        return inputs.select(pl.coalesce(reasons).alias("why")).to_series().cast(pl.String)

    def _excluded(self, frame: pl.DataFrame) -> pl.Series | None:
        """Return why each row is skipped whatever its inputs are; null for the others, None if no row is."""
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
        columns: list[tuple[tuple[str, ...], str]] = [
            (("task", "inputs", name, "column"), item.column)
            for name, item in (self.spec.task.inputs or {}).items()
        ]
        columns += [(("task", "prompt"), name) for name in places]
        problems = [
            problem
            for path, column in columns
            if (message := self._column_problem(column)) is not None
            for problem in self.spec.problem(path, message).problems
        ]
        used = set() if self._where is None else set(self._where.meta.root_names())
        problems += [
            problem
            for fault in self.source.faults
            if fault.blocks and fault.column in used
            for problem in self.spec.problem(("input", "where"), _needs_values(fault)).problems
        ]
        if problems:
            raise SpecError(self.spec.file, problems)
        if self.spec.task.prompt is not None and not places:
            raise self.spec.problem(
                ("task", "prompt"),
                "the prompt names no column, so it would be the same for every row. Write a column in braces, such as {name}",
            )

    def _blanks(self) -> pl.Expr | None:
        """Return the expression that is true for rows with a blank to fill; None if every row has a task."""
        if self.spec.columns.existing != "fill":
            return None
        columns = [value_column(self.spec, field.name) for field in fields(self.spec)]
        return has_blank(columns, self.source.schema, self.spec.input.csv.null_values)

    def _column_problem(self, column: str) -> str | None:
        """Return why a column cannot be sent; None if it can."""
        if column not in self.source.schema:
            return self._missing(column)
        if fault := next(
            (item for item in self.source.faults if item.column == column and item.blocks), None
        ):
            return _needs_values(fault)
        if not can_be_sent(self.source.schema[column]):
            return (
                f'column "{column}" has the type {self.source.schema[column]}, which cannot be sent. '
                "Use a text, number, boolean or date column, or turn it into text in the table"
            )
        return None

    def _missing(self, column: str) -> str:
        schema = self.source.schema
        is_csv = self.source.format in ("csv", "tsv")
        if is_csv:
            next(
                iter(self.source.batches()), None
            )  # a title in place of the header makes the next row ragged
        if is_csv and (sign := other_separator(list(schema))):
            return (
                f'column "{column}" is not in the table, which is read as one column: {", ".join(schema)}. Set'
                f" input.csv.separator to {json.dumps(sign)}"
            )
        return f"{no_column(column, schema)}. Rename it in the spec or the table"

    def _input_exprs(self) -> list[pl.Expr]:
        inputs = self.spec.task.inputs or {}
        return [self._value(item.column, item.transform).alias(name) for name, item in inputs.items()]

    def _value(self, column: str, transform: Transform) -> pl.Expr:
        dtype = pl.String() if self._lines else self.source.schema[column]
        return value_of(column, dtype, transform, self.spec.input.csv.null_values)

    def _value_in_prompt(self, column: str) -> pl.Expr:
        value = self._value(column, "strip")
        if self._lines:
            return pl.coalesce(value, OTHER + column)
        if self.source.schema[column].is_float():
            return value.map_batches(column_text.values, return_dtype=pl.String)
        return value.cast(pl.String)

    def _prompt_exprs(self) -> list[pl.Expr]:
        """Return the expression of the prompt of each row; null if every column that it names is blank."""
        template, parts, at = self.spec.task.prompt or "", [], 0
        values = {name: self._value_in_prompt(name) for name in _placeholders(template)}
        for match in _PLACEHOLDER.finditer(template):
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


def columns_read(spec: Spec, names: Iterable[str]) -> list[str]:
    """Return those of a table's columns whose values a spec uses: in inputs, in `where`, and to fill."""
    used = {item.column for item in (spec.task.inputs or {}).values()} | set(
        _placeholders(spec.task.prompt or "")
    )
    used.update(value_column(spec, field.name) for field in fields(spec))
    if spec.input.where is not None:
        with suppress(pl.exceptions.PolarsError):  # the reader explains it
            used.update(pl.sql_expr(spec.input.where).meta.root_names())
    return [name for name in names if name in used]


def _needs_values(fault: CellFault) -> str:
    return (
        f"{fault}. The spec uses this column: calculate and save the workbook in Excel, or unmerge the cells"
    )


def _placeholders(template: str) -> list[str]:
    return list(dict.fromkeys(match[1] for match in _PLACEHOLDER.finditer(template) if match[1]))


def _spread(text: pl.Series, distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the row of each text among those of the distinct ones."""
    return text.to_frame(_TEXT).join(distinct, on=_TEXT, how="left", maintain_order="left")


def _too_long(text: pl.Series, most: int) -> pl.Series:
    """Return the reason for each input that the API does not take together with the task spec; null for the others."""
    sizes = text.str.len_chars()
    long = {
        at: f"the input has {sizes[at]:,} characters, and the API takes {max(most, 0):,} with this task spec"
        for at in (sizes > most).arg_true()
    }
    reasons = pl.Series(_LONG, [None], dtype=pl.String).new_from_index(0, text.len())
    return reasons.scatter(list(long), list(long.values())) if long else reasons
