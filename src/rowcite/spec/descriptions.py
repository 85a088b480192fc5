"""What each key of a spec means, in a sentence: the descriptions of the JSON schema that editors show."""

from __future__ import annotations

from pydantic import BaseModel

from rowcite.spec import accept_models, models

DESCRIPTIONS: dict[type[BaseModel], dict[str, str]] = {
    models.Spec: {
        "name": "Name of the ledger, the folder of answers. Letters, digits, - and _.",
        "input": "The table to enrich.",
        "output": "The table to write.",
        "task": "The question for every row.",
        "accept": "Rules by which values are accepted. Default: whatever the API returned.",
        "escalate": "Processors that retry rejected values, in order.",
        "columns": "Names of the added columns, and the columns beside each value.",
        "limits": "Limits on rate, concurrency, cost, time and failures.",
        "eval": "How labels are compared with found values, by field (`rowcite eval`).",
        "prices": "US$ per run, for processors and data sources whose price rowcite does not know.",
        "cache": "Age up to which stored answers are reused.",
        "engine": "What reads and writes the table: `polars` is this process, `daft` workers for each part of a folder.",
        "backend": "Where answers come from: `parallel` is the API, `local` a folder of documents.",
        "local": "Options of the local backend.",
    },
    models.Input: {
        "path": "A file, a glob, a folder of parts, s3:// gs:// az:// https://, or - for stdin. Relative to the spec.",
        "format": "Format of the table. Default: from the suffix, also before .gz and .zst.",
        "sheet": "Name of a workbook's sheet. Default: the first that is not hidden.",
        "csv": "How a CSV is written.",
        "where": "A SQL predicate. Rows outside it are not enriched and have the status `skipped`.",
    },
    models.CsvOptions: {
        "separator": 'One character. Default: "," for csv, tab for tsv.',
        "encoding": "Any encoding that Python knows, such as utf8, cp1252 or utf-16.",
        "null_values": "Texts that count as blank. The text itself is kept.",
        "skip_lines": "Lines above the header, such as titles; of a workbook, rows. They are not written.",
    },
    models.Output: {
        "path": "csv, tsv, parquet, jsonl or xlsx by suffix; - is stdout; with `engine: daft` a folder. Relative to the spec.",
    },
    models.TaskSpec: {
        "processor": "The API's product that answers a run; it sets price and time.",
        "instructions": "Instructions for every row.",
        "inputs": "What describes a row: the columns that are sent. No other column leaves the machine.",
        "prompt": "A text with columns in braces, such as `Who runs {name}?`, instead of `inputs`.",
        "outputs": "The fields to find: one column for each.",
        "output": "One answer without fields, instead of `outputs`.",
        "source_policy": "Sites that answers may come from.",
        "data_sources": "Connectors to further sources, for standard processors. Those paid for each run need a price.",
        "location": "Two letters of a country (ISO 3166-1).",
        "metadata": "Sent with every run. Keys up to 16 characters, values up to 512.",
        "mcp_servers": "Tool servers that the runs may call, up to 10.",
        "previous_interaction_id": "Id of an earlier interaction whose context is used.",
        "memory_scope_key": "Key of the API's memory, which keeps inputs and outputs if it is on.",
        "records_per_run": "Rows that are sent in one run, at the price of one.",
    },
    models.InputField: {
        "column": "The column of the table.",
        "type": "The type that is sent. Default: the column's type, text for CSV.",
        "description": "What the value is.",
        "required": "A row with a blank here is `skipped` and not paid for.",
        "transform": "How the text is changed before it is sent.",
    },
    models.OutputField: {
        "type": "Type of the column.",
        "description": "What to find.",
        "enum": "A choice of texts.",
        "items": "Values of an array.",
        "properties": "Fields of an object.",
    },
    models.WholeOutput: {
        "type": "`text` is a Markdown report; with `auto` the API chooses a schema for each row.",
        "description": "What to find: one `answer` column.",
        "json_schema": "Your own JSON schema, or the name of its file: one column for each property.",
    },
    models.SourcePolicy: {
        "include_domains": "Answers come from these sites only.",
        "exclude_domains": "Answers never come from these sites.",
        "after_date": "Sources published before this day, YYYY-MM-DD, are not used.",
    },
    models.DataSources: {
        "free": "Names of connectors without a price.",
        "pay_per_use": "Names of connectors with a price per run, which is given in `prices`.",
    },
    models.McpServer: {
        "url": "Address of the server. Do not put a secret here.",
        "name": "Name of the server.",
        "type": "Always `url`.",
        "headers": "Headers that are sent and never stored. Take secrets from the environment: `${TOKEN}`.",
        "allowed_tools": "Names of the tools that may be called. Default: all.",
    },
    accept_models.AcceptKeys: {
        "min_confidence": "low, medium, high, or a number from 0 to 1.",
        "missing_confidence": "Some processors give no confidence: accept or reject such values.",
        "min_citations": "Least number of citations.",
        "min_domains": "Least number of distinct sites among the citations.",
        "trusted_domains": "At least one citation must come from these.",
        "distrusted_domains": "Citations from these do not count.",
        "max_age": "Maximum age of the evidence where it is dated, such as 730d.",
        "not_found": "Texts that mean null. [] turns it off.",
        "on_reject": "`blank` leaves a rejected value out, `keep` writes it; the row is `rejected` in both cases.",
    },
    accept_models.Accept: {
        "required": "Fields whose null is not an answer.",
        "fields": "Rules for single fields.",
        "rules": "Conditions on the fields of a row, such as `founded_year <= 2026`.",
    },
    accept_models.AcceptField: {
        "required": "A null here is not an answer.",
        "pattern": "A regular expression that the whole value must match.",
        "minimum": "Least number or date.",
        "maximum": "Greatest number or date.",
        "one_of": "The values that are accepted.",
    },
    accept_models.EvalField: {
        "compare": "The comparison. Default: by the field's type.",
        "tolerance": 'The share by which numbers may differ, such as "10%".',
        "region": "Country (ISO 3166) of phone numbers without a country code.",
    },
    models.Columns: {
        "existing": "What happens if the table has a field's column: an error, fill its blanks, or overwrite.",
        "prefix": "Put before the name of every field's columns.",
        "confidence": "Add <field>_confidence.",
        "citations": "Add <field>_citations: URLs, full citations with excerpts, or none.",
        "reasoning": "Add <field>_reasoning.",
        "reports": "A folder for one Markdown file for each row, with `output: {type: text}`.",
        "formulas": "Escape found values that a spreadsheet would run as a formula, or keep them.",
    },
    models.Limits: {
        "requests_per_minute": "All requests, GET and POST, in any 60 s.",
        "concurrency": "Simultaneous requests, not counting event streams.",
        "active_runs": "Runs submitted and not ended.",
        "max_cost_usd": "What one command may newly spend, in US$.",
        "max_total_usd": "What this ledger may ever spend, in US$.",
        "deadline": "Stop after 90s, 30m, 2h or 1d. The same command continues.",
        "max_failed": 'Failed rows, or a share such as "5%", before exit code 7.',
    },
    models.Cache: {"max_age": "Older stored answers are not reused, such as 90d."},
    models.Engine: {
        "name": "`polars` is this process; `daft` runs workers on this machine, or on the Ray cluster of `address`.",
        "address": "Address of a Ray cluster, such as ray://head:10001. Its nodes share the storage of table, output and ledger.",
    },
    models.Local: {"corpus": "Folder of documents that answers come from. Relative to the spec."},
}
"""By model and key. Keys that a model inherits are described at its parent."""


def description(model: type[BaseModel], key: str) -> str | None:
    """Return the description of a model's key, None if it has none."""
    found = (DESCRIPTIONS[kind][key] for kind in model.__mro__ if key in DESCRIPTIONS.get(kind, {}))
    return next(found, None)
