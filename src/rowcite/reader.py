"""Rows to tasks: which columns a run gets, what is done to them, which rows are asked about and which are not.

The work on a batch of rows is polars'; only distinct inputs become Python objects, once each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import polars as pl

from rowcite.errors import SpecError
from rowcite.keys import canonical, task_key
from rowcite.model import RowStatus, TaskKey
from rowcite.schema import TASK_AND_INPUT_CHARS
from rowcite.source import Rows, Source, limited
from rowcite.spec import Spec
from rowcite.wire import Question

_INDEX, _KEY, _LONG = "\0index", "\0key", "\0long"  # beside the inputs, so named as no input is
_PROMPT = "prompt"  # the one input column when the spec has a prompt
_TEXT_AS_NUMBER = ("compare string with numeric", "arithmetic on dtypes", "'is_in' cannot check")
_AGGREGATE = re.compile(
    r"\b(avg|count|first|last|max|median|min|quantile\w*|stddev\w*|sum|var\w*|rank|row_number|lag|lead)\s*\(",
    re.IGNORECASE,
)
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
        self._where = self._predicate()
        self._exprs = self._prompt_exprs() if spec.task.prompt is not None else self._input_exprs()
        empty = pl.DataFrame(schema=source.schema).select(self._exprs)
        self.types = {name: _json_type(dtype) for name, dtype in empty.schema.items()}
        self._required = [name for name, item in (spec.task.inputs or {}).items() if item.required]

    def batches(self, question: Question) -> Iterator[Batch]:
        """Yield the table's rows in order, each with the key of the task that answers it."""
        room = TASK_AND_INPUT_CHARS - len(question.task_spec.decode())
        asked = question.fingerprint
        for rows in limited(self.source.batches(), self.limit):
            yield self._batch(rows, asked, room)

    def _batch(self, rows: Rows, asked: bytes, room: int) -> Batch:
        inputs = rows.frame.select(self._exprs)
        why = self._skips(rows.frame, inputs)
        status = pl.select(pl.when(why.is_not_null()).then(pl.lit(RowStatus.SKIPPED.value))).to_series()
        wanted = inputs.with_columns(pl.int_range(pl.len()).alias(_INDEX)).filter(why.is_null())
        distinct = wanted.unique(subset=inputs.columns, keep="first", maintain_order=True).drop(_INDEX)
        texts = [canonical(self._input(row)) for row in distinct.iter_rows(named=True)]
        keys = [task_key(asked, text) for text in texts]
        found = distinct.with_columns(
            pl.Series(_KEY, keys, dtype=pl.Binary),
            pl.Series(_LONG, [_too_long(text, room) for text in texts], dtype=pl.String),
        )
        joined = wanted.join(found, on=inputs.columns, how="left", nulls_equal=True, maintain_order="left")
        spread = pl.DataFrame({_INDEX: pl.int_range(rows.frame.height, eager=True)}).join(
            joined.select(_INDEX, _KEY, _LONG), on=_INDEX, how="left", maintain_order="left"
        )
        long = spread[_LONG]
        return Batch(
            rows,
            keys=spread.select(pl.when(pl.col(_LONG).is_null()).then(_KEY)).to_series(),
            status=status.zip_with(
                long.is_null(), pl.repeat(RowStatus.FAILED.value, rows.frame.height, eager=True)
            ),
            why=why.zip_with(long.is_null(), long),
            tasks={key: text for key, text in zip(keys, texts, strict=True) if _too_long(text, room) is None},
        )

    def _input(self, row: dict[str, Any]) -> Any:
        if self.spec.task.prompt is not None:
            return row[_PROMPT]
        return {name: value for name, value in row.items() if value is not None}

    def _skips(self, frame: pl.DataFrame, inputs: pl.DataFrame) -> pl.Series:
        """Say of every row why nothing is asked about it; null for the others."""
        reasons = [
            pl.when(pl.lit(self._outside(frame))).then(pl.lit("outside `where`")),
            *(
                pl.when(pl.col(name).is_null()).then(pl.lit(f"required input `{name}` is blank"))
                for name in self._required
            ),
            pl.when(pl.all_horizontal(pl.all().is_null())).then(pl.lit("every input is blank")),
        ]
        return inputs.select(pl.coalesce(reasons).alias("why")).to_series().cast(pl.String)

    def _outside(self, frame: pl.DataFrame) -> pl.Series:
        if self._where is None:
            return pl.repeat(False, frame.height, eager=True)
        try:
            return frame.select(self._where.fill_null(value=False).not_()).to_series()
        except pl.exceptions.PolarsError as error:
            raise self._where_problem(error) from error

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
            if not _can_be_sent(self.source.schema.get(column, pl.String()))
            for problem in self.spec.problem(path, self._cannot_send(column)).problems
        ]
        if problems:
            raise SpecError(self.spec.file, problems)
        if self.spec.task.prompt is not None and not places:
            raise self.spec.problem(
                ("task", "prompt"),
                "the prompt names no column, so that every row would ask the same. Write one in braces, such as {name}",
            )

    def _cannot_send(self, column: str) -> str:
        return (
            f'column "{column}" has the type {self.source.schema[column]}, which cannot be sent. '
            "Use a text, number, boolean or date column, or turn it into text in the table"
        )

    def _no_such(self, column: str) -> str:
        near = get_close_matches(column, self.source.schema, 1, 0.6)
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        shown = _listed(self.source.schema)
        return f'column "{column}" is not in the table{hint}. Columns: {shown}. Rename it in the spec or the table'

    def _input_exprs(self) -> list[pl.Expr]:
        inputs = self.spec.task.inputs or {}
        return [self._value(item.column, item.transform).alias(name) for name, item in inputs.items()]

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

    def _value(self, column: str, transform: str) -> pl.Expr:
        """Return the expression for one input: the column's value in a form that JSON has, null when blank."""
        value, dtype = pl.col(column), self.source.schema[column]
        if isinstance(dtype, (pl.Categorical, pl.Enum, pl.Decimal, pl.Null)):
            value = value.cast(pl.String)
        elif isinstance(dtype, pl.Duration):
            value = value.dt.to_string("iso")
        elif dtype == pl.Date:
            value = value.dt.strftime("%Y-%m-%d")
        elif isinstance(dtype, pl.Datetime):
            form = "%Y-%m-%dT%H:%M:%S%.6f"
            value = (
                value.dt.convert_time_zone("UTC").dt.strftime(f"{form}Z")
                if dtype.time_zone
                else value.dt.strftime(form)
            )
        elif dtype == pl.Time:
            value = value.dt.strftime("%H:%M:%S%.6f")
        elif dtype.is_float():
            return pl.when(value.is_finite()).then(value)
        elif dtype != pl.String:
            return value
        return _transformed(value, transform, self.spec.input.csv.null_values)

    # --- where ---------------------------------------------------------------------------------------

    def _predicate(self) -> pl.Expr | None:
        if self.spec.input.where is None:
            return None
        if found := _AGGREGATE.search(re.sub(r"'[^']*'", "''", self.spec.input.where)):
            raise self.spec.problem(
                ("input", "where"), f"`where` looks at one row: `{found[1]}` of many rows cannot be used"
            )
        try:
            where = pl.sql_expr(self.spec.input.where)
            outcome = pl.DataFrame(schema=self.source.schema).select(where.alias("where")).to_series()
        except pl.exceptions.PolarsError as error:
            raise self._where_problem(error) from error
        if outcome.dtype != pl.Boolean:
            raise self.spec.problem(("input", "where"), f"`where` gives {outcome.dtype}, not true or false")
        return where

    def _where_problem(self, error: Exception) -> SpecError:
        text = str(error).split("\n", 1)[0]
        if any(sign in text for sign in _TEXT_AS_NUMBER):
            text = f"it compares a text with a number ({text}). {self._cast_to_write()}"
        elif "conversion from `str`" in text:
            text = f"{text}. Write TRY_CAST in place of CAST: it gives null for such values, and their rows are skipped"
        elif isinstance(error, pl.exceptions.ColumnNotFoundError):
            text = f"{text.split(';', 1)[0]}. Columns: {_listed(self.source.schema)}"
        return self.spec.problem(("input", "where"), f"`where` cannot be used: {text}")

    def _cast_to_write(self) -> str:
        where = self.spec.input.where or ""
        texts = [name for name, dtype in self.source.schema.items() if dtype == pl.String and name in where]
        if not texts:
            return "Leave the quotes around the number out"
        name = max(texts, key=len)
        name = name if re.fullmatch(r"[A-Za-z_]\w*", name) else f'"{name}"'
        return f"CSV columns are text: write CAST({name} AS DOUBLE), or TRY_CAST where some values are no numbers"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:30]) + (f", and {len(names) - 30} more" if len(names) > 30 else "")


def _can_be_sent(dtype: pl.DataType) -> bool:
    plain = (
        pl.String,
        pl.Boolean,
        pl.Categorical,
        pl.Enum,
        pl.Date,
        pl.Datetime,
        pl.Time,
        pl.Duration,
        pl.Null,
    )
    return dtype.is_numeric() or isinstance(dtype, plain)


def _json_type(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    return "number" if dtype.is_float() else "string"


def _placeholders(template: str) -> list[str]:
    return list(dict.fromkeys(match[1] for match in _PLACE.finditer(template) if match[1]))


_HOST = r"^([\pL\pM\pN_-]+\.)+([\pL\pM]{2,}|xn--[a-z0-9-]+)$|^\d{1,3}(\.\d{1,3}){3}$"
"""Labels with dots between them, ending in letters; or four numbers. Not `e.g.`, `1.5` or `Acme Inc.`"""


def _transformed(value: pl.Expr, transform: str, blanks: tuple[str, ...]) -> pl.Expr:
    """Apply a transform to a text; what the spec counts as blank, and what the transform leaves empty, is null."""
    kept = value if transform == "none" else value.str.strip_chars()
    kept = pl.when(value.is_in(list(blanks)) | kept.is_in(list(blanks))).then(None).otherwise(kept)
    if transform == "lower":
        kept = kept.str.to_lowercase()
    elif transform == "domain":
        kept = _domain(kept)
    elif transform == "url":
        kept = _url(kept)
    return kept if transform == "none" else pl.when(kept != "").then(kept)


def _domain(text: pl.Expr) -> pl.Expr:
    """Return the host of a URL, an address or a bare domain, without `www.`; null for what is none of them."""
    host = (
        text.str.replace(r"(?i)^(https?|ftp):/*|^//", "")
        .str.replace(r"[/?#\s].*$", "")
        .str.replace(r"^.*@", "")
        .str.replace(r":\d*$", "")
        .str.to_lowercase()
        .str.replace(r"^www\d?\.", "")
        .str.strip_chars(".")
    )
    return pl.when(host.str.contains(_HOST)).then(host)


def _url(text: pl.Expr) -> pl.Expr:
    """Return a URL with a scheme and a lower-case host, without a trailing slash or a fragment.

    Null where there is no host, or a user before it: a password is not sent anywhere.
    """
    rest = text.str.replace(r"(?i)^(https?):/*|^//", "").str.replace(r"#.*$", "")
    scheme = pl.when(text.str.contains(r"(?i)^http:")).then(pl.lit("http://")).otherwise(pl.lit("https://"))
    host = rest.str.extract(r"^([^/?]+)").str.to_lowercase()
    path = rest.str.replace(r"^[^/?]+", "").str.strip_chars_end("/")
    return pl.when(host.str.replace(r":\d+$", "").str.contains(_HOST)).then(
        pl.concat_str([scheme, host, path])
    )


def _too_long(text: bytes, room: int) -> str | None:
    """Say that an input is larger than the API takes together with the task spec."""
    size = len(text) if len(text) <= room else len(text.decode())
    if size <= room:
        return None
    return f"the input has {size:,} characters, and the API takes {max(room, 0):,} beside this task spec"
