"""The keys of a spec and their types: frozen models, checked key by key.

`rowcite.pipeline.spec_file` reads a file into them; `rowcite.pipeline.spec_checks` compares them with the API's limits.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from rowcite.api.facts import REQUESTS_PER_MINUTE
from rowcite.api.schema_limits import shape_problems
from rowcite.errors import Problem, SpecError
from rowcite.spec.accept_models import Accept, EvalField, Part
from rowcite.spec.value_types import (
    Day,
    Duration,
    FieldKind,
    RowsOrShare,
    SourceList,
    SourceName,
    Usd,
    Whole,
    misspelt_kind,
)

Format = Literal["csv", "tsv", "parquet", "jsonl", "xlsx"]
Transform = Literal["strip", "lower", "domain", "url", "none"]
InputKind = Literal["string", "integer", "number", "boolean"]


def _separator(value: str) -> str:
    if len(value.encode()) != 1 or value in '"\r\n\0':
        raise ValueError('must be one character other than a quote or a line end, such as "," or ";"')
    return value


def _encoding(value: str) -> str:
    import codecs

    try:
        "".encode(value)  # `lookup` also knows codecs that are not of text, such as base64
        return codecs.lookup(value).name
    except (LookupError, ValueError):
        raise ValueError("must be an encoding that Python knows, such as utf8, latin-1 or cp1252") from None


class CsvOptions(Part):
    """The separator and the encoding of a CSV, the texts that count as blank, and the lines above its header."""

    separator: (
        Annotated[
            str,
            AfterValidator(_separator),
            WithJsonSchema({"type": "string", "pattern": r"^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7f]$"}),
        ]
        | None
    ) = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    null_values: tuple[str, ...] = ("",)
    skip_lines: Annotated[StrictInt, Field(ge=0, le=1_000)] = 0


class Input(Part):
    """The table to enrich."""

    path: str | None = None
    format: Format | None = None
    sheet: str | None = Field(default=None, min_length=1)
    csv: CsvOptions = CsvOptions()
    where: str | None = None


class Output(Part):
    """The table to write."""

    path: str | None = None


class InputField(Part):
    """One field of the task's input: its column, how its text is transformed, and the type that it is sent as."""

    column: str
    type: InputKind | None = None
    description: str | None = None
    required: StrictBool = False
    transform: Transform = "strip"


class OutputField(Part):
    """One field to find: `enum` for a choice of texts, `items` for the values of an array, `properties` for an object.

    A plain text is a type, or the description of a text field.
    """

    type: FieldKind | None = None
    description: str | None = None
    enum: tuple[str, ...] | None = None
    items: OutputField | None = None
    properties: dict[str, OutputField] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """A text is a type, or the description of a text field."""
        if not isinstance(value, str):
            return value
        if value in get_args(FieldKind):
            return {"type": value}
        if not value.strip():
            raise ValueError("must be a type or a description")
        if near := misspelt_kind(value.strip()):
            shown = f"{{type: string, description: {value.strip()}}}"
            raise ValueError(
                f"must be a type or a description: did you mean `{near}`? As a description, write {shown}"
            )
        return {"type": "string", "description": value}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.enum is not None:
            if self.type not in (None, "string"):
                raise ValueError("an `enum` is a choice of texts: remove `type`")
            if not self.enum or len(set(self.enum)) < len(self.enum):
                raise ValueError("`enum` needs at least one value, and each value once")
        elif self.type is None:
            raise ValueError(f"a field needs a `type` ({', '.join(get_args(FieldKind))}) or an `enum`")
        if self.items is not None and self.type != "array":
            raise ValueError("`items` is for `type: array`: remove it or change `type`")
        if self.properties is not None and self.type != "object":
            raise ValueError("`properties` is for `type: object`: remove it or change `type`")
        if self.type == "object" and not self.properties:
            raise ValueError("`type: object` needs `properties`: the API does not return others")
        return self


class WholeOutput(Part):
    """An output without fields: a described text, a report, auto, or a JSON schema of the user."""

    type: Literal["text", "auto"] | None = None
    description: str | None = None
    json_schema: str | dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"description": value} if isinstance(value, str) else value

    @field_validator("json_schema")
    @classmethod
    def _is_schema(cls, value: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
        if isinstance(value, dict) and (problems := shape_problems(value)):
            raise ValueError(problems[0].message)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if sum(part is not None for part in (self.type, self.description, self.json_schema)) != 1:
            raise ValueError("write a description, or {type: text}, {type: auto} or {json_schema: file.json}")
        return self


class SourcePolicy(Part):
    """The sites that answers may come from, and the earliest day of what they publish."""

    include_domains: SourceList = ()
    exclude_domains: SourceList = ()
    after_date: Day = None


class DataSources(Part):
    """Connectors to further sources: free ones, and ones that are paid for with every run."""

    free: tuple[SourceName, ...] = ()
    pay_per_use: tuple[SourceName, ...] = ()


class McpServer(Part):
    """A tool server that the runs may call. Headers are secrets: they are sent and never stored."""

    url: str
    name: str
    type: Literal["url"] = "url"
    headers: dict[str, SecretStr] = Field(default={})
    allowed_tools: tuple[str, ...] | None = None


class TaskSpec(Part):
    """The question for every row."""

    processor: str = Field(min_length=1)
    instructions: str | None = None
    inputs: dict[str, InputField] | None = None
    prompt: str | None = None
    outputs: dict[str, OutputField] | None = None
    output: WholeOutput | None = None
    source_policy: SourcePolicy | None = None
    data_sources: DataSources | None = None
    location: str | None = Field(default=None, pattern=r"^[A-Za-z]{2}$")
    metadata: dict[str, str] = Field(default={})
    mcp_servers: tuple[McpServer, ...] = ()
    previous_interaction_id: str | None = None
    memory_scope_key: str | None = Field(default=None, min_length=1)
    records_per_run: Whole = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.inputs is None) == (self.prompt is None):
            raise ValueError("a task needs either `inputs` or a `prompt`")
        if (self.outputs is None) == (self.output is None):
            raise ValueError("a task needs either `outputs` or one `output`")
        if self.inputs is not None and not self.inputs:
            raise ValueError("`inputs` is empty: name at least one column")
        if self.outputs is not None and not self.outputs:
            raise ValueError("`outputs` is empty: name at least one field")
        return self


class Columns(Part):
    """The names of the added columns, and the columns beside each value."""

    existing: Literal["error", "fill", "overwrite"] = "error"
    prefix: str = ""
    confidence: StrictBool = True
    citations: Literal["urls", "full", "none"] = "urls"
    reasoning: StrictBool = False
    reports: str | None = None
    formulas: Literal["escape", "keep"] = "escape"


class Limits(Part):
    """Limits on rate, concurrency, cost, time and failures."""

    requests_per_minute: Whole = Field(default=REQUESTS_PER_MINUTE, ge=1, le=1_000_000)
    concurrency: Whole = Field(default=8, ge=1, le=1_000)
    active_runs: Whole = Field(default=10_000, ge=1, le=1_000_000_000)
    max_cost_usd: Usd = 25
    max_total_usd: Usd | None = None
    deadline: Duration = None
    max_failed: RowsOrShare = 0


class Cache(Part):
    """The age up to which stored answers are reused."""

    max_age: Duration = None


class Engine(Part):
    """What reads and writes the table: this process, or workers that Daft runs on this machine or on a Ray cluster."""

    name: Literal["polars", "daft"] = "polars"
    address: str | None = Field(default=None, pattern=r"^ray://[^/\s]+$")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.address is not None and self.name != "daft":
            raise ValueError("`address` is that of a Ray cluster, which only `name: daft` uses: add it")
        return self


class Local(Part):
    """The local backend: the folder of documents that it answers from."""

    corpus: str


class Spec(Part):
    """A whole spec. Relative paths are relative to `folder`. `renamed_keys` are warnings about keys with an old name.

    `written` has the texts with variables as they are in the file, by path: the value of a variable may be a secret.

    Build one with `load_spec` or `parse_spec`; both raise `SpecError` with every problem found.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    input: Input = Input()
    output: Output = Output()
    task: TaskSpec
    accept: Accept = Accept()
    escalate: tuple[str, ...] = ()
    columns: Columns = Columns()
    limits: Limits = Limits()
    eval: dict[str, EvalField] = Field(default={})
    prices: dict[str, Usd] = Field(default={})
    cache: Cache = Cache()
    engine: Engine = Engine()
    backend: Literal["parallel", "local"] = "parallel"
    local: Local | None = None
    folder: Path = Field(default=Path(), exclude=True)
    file: str = Field(default="<spec>", exclude=True)
    marks: dict[tuple[str | int, ...], tuple[int, int]] = Field(default={}, exclude=True)
    written: dict[tuple[str | int, ...], str] = Field(default={}, exclude=True)
    renamed_keys: tuple[str, ...] = Field(default=(), exclude=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.backend == "local" and self.local is None:
            raise ValueError("`backend: local` needs `local: {corpus: FOLDER}`, the documents to answer from")
        return self

    def problem(self, path: tuple[str | int, ...], message: str) -> SpecError:
        """Return an error at the position of a key, for the caller to raise."""
        mark = next(
            (self.marks[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.marks), (0, 0)
        )
        return SpecError(self.file, [Problem(message, *mark)])

    def path(self, relative: str) -> Path:
        """Return a path of the spec as seen from the working folder."""
        return Path(os.path.normpath(self.folder / os.path.expanduser(relative)))  # noqa: PTH111 - Path's raises for ~unknown
