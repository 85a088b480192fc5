"""The text of a drafted spec, with comments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rowcite.api.facts import PROCESSORS, usd
from rowcite.draft.draft import Draft, form_text, shown_path, spec_name
from rowcite.draft.entity import Pick, key_column
from rowcite.draft.kinds import Known
from rowcite.draft.suggestions import IN_THE_TABLE
from rowcite.draft.yaml_text import scalar, with_comment
from rowcite.inert import one_line

PROCESSOR = "core-fast"
MAX_COST = 5
SCHEMA_FILE = ".rowcite/schema.json"
_BLANK_TEXTS = frozenset(
    [
        "N/A",
        "n/a",
        "NA",
        "#N/A",
        "-",
        "--",
        "null",
        "NULL",
        "None",
        "none",
        "k. A.",
        "k.A.",
        "N.A.",
        "s/d",
        "(blank)",
        "?",
    ]
)
_OUTPUTS = {"csv": ".csv", "tsv": ".tsv", "parquet": ".parquet", "jsonl": ".jsonl", "xlsx": ".xlsx"}


def text_of(made: Draft, *, schema: str | None = SCHEMA_FILE) -> str:
    """Return the text of a spec file. `schema` is the JSON Schema that its first line names."""
    return "\n".join([*_head(made, schema), *_table(made), *_task(made), *_rest(made)]) + "\n"


def _head(made: Draft, schema: str | None) -> Iterator[str]:
    if schema is not None:
        yield f"# yaml-language-server: $schema={schema}"
    yield f"# Drafted by `rowcite init` from {one_line(shown_path(made.table))}: {one_line(form_text(made.sample))}."
    yield "# Lines that begin with # are suggestions: remove the # to use one."
    yield f"name: {spec_name(made.table)}"
    yield ""


def _table(made: Draft) -> Iterator[str]:
    form = made.sample.form
    yield "input:"
    yield f"  path: {scalar(_from_spec(made, made.table))}"
    if form.format is not None:
        yield f"  format: {form.format}"
    if len(form.sheets) > 1:
        others = ", ".join(map(scalar, form.sheets[1:]))
        yield with_comment(f"  sheet: {scalar(form.sheets[0])}", f"other sheets: {one_line(others, 200)}")
    options = []
    if form.separator not in (None, "\t" if form.kind == "tsv" else ","):
        options.append(f"separator: {scalar(str(form.separator))}")
    if form.encoding is not None and form.encoding.name != "utf-8":
        options.append(f"encoding: {form.encoding.name}")
    if blanks := _blank_texts(made):
        options.append(f'null_values: ["", {", ".join(map(scalar, blanks))}]')
    if options:
        example = form.encoding.example if form.encoding else None
        note = f'the encoding is a guess: it gives "{example}"' if example else "found in the first rows"
        yield with_comment(f"  csv: {{{', '.join(options)}}}", note)
    yield "output:"
    yield f"  path: {scalar(_output(made))}"
    yield ""


def _task(made: Draft) -> Iterator[str]:
    yield "task:"
    yield with_comment(f"  processor: {PROCESSOR}", _processor_note())
    yield "  # instructions: Prefer the official site and registers over directories and news."
    yield with_comment("  inputs:", "only these columns leave the machine")
    for pick in made.picks:
        note = "a row without it is skipped and not paid for" if pick.required else ""
        if pick.known.kind == "email":
            note = "only the part after the @ is sent"
        yield with_comment(f"    {_input(pick)}", note)
    if made.entity == "person":
        yield "    # Names and profiles of people are personal data too: send them only if you may."
    yield from _mail(made)
    yield from _not_sent(made)
    yield with_comment("  outputs:", "the columns to find, each with its confidence and citations")
    for field in made.fields:
        mark = "" if field.active else "# "
        yield with_comment(f"    {mark}{scalar(field.name)}: {field.yaml}", field.note)
    yield ""


def _input(pick: Pick) -> str:
    options = [f"column: {scalar(pick.column)}"]
    options += ["required: true"] if pick.required else []
    options += [f"transform: {pick.transform}"] if pick.transform != "strip" else []
    return f"{pick.name}: {{{', '.join(options)}}}"


def _mail(made: Draft) -> Iterator[str]:
    """Yield the lines about columns of mail addresses that are not sent."""
    taken = {pick.column for pick in made.picks}
    mails = [known for known in made.columns if known.kind == "email" and known.name not in taken]
    if not mails:
        return
    yield f"    # {one_line(_quoted(mails))} {'is' if len(mails) == 1 else 'are'} not sent: mail addresses are personal data."
    if made.entity in ("company", "person") and not any(pick.transform == "domain" for pick in made.picks):
        yield "    # The domain alone often names the company (not for free-mail addresses):"
        name = "website" if made.entity == "company" else "company_website"
        yield f"    # {name}: {{column: {scalar(mails[0].name)}, transform: domain}}"


def _not_sent(made: Draft) -> Iterator[str]:
    taken = {pick.column for pick in made.picks}
    left = [known for known in made.columns if known.name not in taken and known.kind != "email"]
    if left:
        more = f" and {len(left) - 12} more" if len(left) > 12 else ""
        yield f"    # Not sent: {one_line(_quoted(left[:12]))}{more}"


def _quoted(columns: Sequence[Known]) -> str:
    return ", ".join(f'"{known.name}"' for known in columns)


def _rest(made: Draft) -> Iterator[str]:
    first = next(field.name for field in made.fields if field.active)
    yield "# accept:"
    yield "#   min_confidence: medium            # low, medium or high: values below it are rejected"
    yield f"#   required: [{first}]"
    yield "# escalate: [pro-fast]                # retries rejected values"
    if any(field.note == IN_THE_TABLE for field in made.fields):
        yield "# columns: {existing: fill}           # keeps the values of the table and fills its blanks"
    yield "limits:"
    yield with_comment(f"  max_cost_usd: {MAX_COST}", "what one command may newly spend")
    yield ""
    if made.corpus is None:
        yield "# backend: local                      # a rehearsal without a key: answers come from a folder of documents"
        yield "# local: {corpus: pages}"
    else:
        yield with_comment("backend: local", "a rehearsal; for the live web: rowcite run --backend parallel")
        yield f"local: {{corpus: {scalar(_from_spec(made, made.corpus))}}}"
    if key := key_column(made.columns):
        yield f"# Key of a row, for `rowcite deltas --key`: {one_line(key)}"


def _processor_note() -> str:
    others = ("base-fast", "pro-fast")
    rest = [f"{name} {usd(PROCESSORS[name].price)} for {PROCESSORS[name].fields}" for name in others]
    own = PROCESSORS[PROCESSOR]
    return f"{usd(own.price)} a row for up to {own.fields} fields; {', '.join(rest)}"


def _blank_texts(made: Draft) -> list[str]:
    """Return the texts in the columns to send that mean that a value is missing."""
    if made.sample.form.kind not in ("csv", "tsv", "xlsx"):
        return []
    found = {value for pick in made.picks for value in pick.known.column.values}
    return sorted(found & _BLANK_TEXTS)


def _from_spec(made: Draft, path: str) -> str:
    """Return the path of the table, or of another file, as seen from the spec's folder."""
    if path == "-" or "://" in path:
        return path
    path = path if os.path.isabs(path) else os.path.relpath(path, made.spec.parent)  # noqa: PTH117
    return f"./{path}" if path.startswith(("~", "-")) else path


def _output(made: Draft) -> str:
    """Return the path of the output: beside the spec, and not where it would be a part of the input."""
    suffix = _OUTPUTS.get(made.sample.form.kind, ".csv")
    name = f"{spec_name(made.table)}-enriched{suffix}"
    many = made.table != "-" and "://" not in made.table and not Path(made.table).is_file()
    return f"enriched/{name}" if many else name
