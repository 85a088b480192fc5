"""Where a job's table is, where its output goes, and whether the new columns fit."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from glob import has_magic
from pathlib import Path

from rowcite.engines.output_folder import folder_output
from rowcite.errors import TableError, UsageError
from rowcite.pipeline.overrides import Overrides
from rowcite.spec.fields import fields, value_column
from rowcite.spec.models import Format, Spec
from rowcite.table.columns import STATUS_COLUMNS, ColumnLayout, column_type_problems
from rowcite.table.input_table import TableAddress
from rowcite.table.sinks import check_columns, check_output, output_format
from rowcite.table.sources import Source, format_of
from rowcite.table.sources.limits import NAMES_SEVERAL, is_pattern
from rowcite.table.sources.partitions import in_partitions


def table_address(spec: Spec, overrides: Overrides, spool: Path | None) -> TableAddress:
    """Return where the table is, with its format."""
    path, kind = _input(spec, overrides), spec.input.format
    if spec.engine.name != "polars" and path != "-" and "://" not in path:
        path = os.path.abspath(path)  # noqa: PTH100 - workers have another working folder, and a pattern must not be resolved
    if path == "-":
        kind = kind or format_of(spec.input.path or "") or "csv"
    elif overrides.input is not None:  # not the table of the spec: its own suffix comes first
        kind = None if Path(path).is_dir() else format_of(path) or kind
    return TableAddress(path, kind, spec.input.csv, spool, spec.input.sheet)


def check_sheet(spec: Spec, overrides: Overrides, source: Source) -> None:
    """Raise SpecError if a sheet is named and the table is not a workbook."""
    if spec.input.sheet is not None and source.format not in ("xlsx", None) and overrides.input is None:
        raise spec.problem(
            ("input", "sheet"), f"`sheet` is for workbooks, and the table is {source.format}: remove it"
        )


def output_path(spec: Spec, overrides: Overrides, source: Source, *, writes: bool) -> str | None:
    """Return the path of the output, None if there is none; raise TableError if nothing can be written there."""
    path = overrides.output
    if path is None and spec.output.path is not None:
        path = spec.output.path
        slash = "/" * path.endswith("/")  # of a folder; `spec.path` removes it
        path = path if path == "-" or "://" in path else str(spec.path(path)) + slash
    if path is None:
        return None
    if spec.engine.name != "polars":
        path = folder_output(path, Path(_input(spec, overrides)))
        check_output(path + Path(source.files[0]).name, source, writes=writes)
        return path
    check_output(path, source, writes=writes)
    if path != "-" and "://" not in path and _is_part(path, _input(spec, overrides)):
        raise TableError(
            f"{path}: the next run would read this as a part of the input. Write to another folder"
        )
    return path


def check_output_columns(output: str, spec: Spec, source: Source) -> None:
    """Raise `TableError` if the format of the output cannot hold its columns."""
    if output.endswith("/"):
        output += Path(source.files[0]).name  # every part has the format of its input
    form = output_format(output, source)
    layout = ColumnLayout(spec, source.schema, native=form.native, workbook=form.workbook)
    check_columns(output, source, layout.schema)


def check_new_columns(spec: Spec, source: Source) -> None:
    """Raise SpecError or TableError if the new columns do not fit beside the table's own."""
    where = ("task", "outputs") if spec.task.outputs is not None else ("task", "output")
    for item in fields(spec):
        if is_pattern(item.name) or is_pattern(value_column(spec, item.name)):
            raise spec.problem(where, f"the name of field {item.name!r} {NAMES_SEVERAL}. Rename it")
    added = ColumnLayout(spec, source.schema, native=True).schema
    existing = [name for name in added if name in source.schema]
    own = [name for name in existing if name in STATUS_COLUMNS]
    if own:
        raise TableError(
            f"the table has {', '.join(own)} already: rowcite wrote it. Enrich the original table, or drop these columns"
        )
    if existing:
        shown = ", ".join(f'"{name}"' for name in existing)
        hint = "Set columns.prefix, or rename the field"
        if spec.columns.existing == "error":
            hint = "Set columns.existing to fill or overwrite, or columns.prefix, or rename the field"
        raise spec.problem(where, f"the table has {shown} already. {hint}")
    for message in column_type_problems(spec, source.schema, source.arrow_schema):
        raise spec.problem(("columns", "existing"), message)


def check_target(  # noqa: PLR0913 - the files of a job, by name
    flag: str,
    target: str,
    spec: Spec,
    ledger: Path,
    tables: Iterable[str | Path | None] = (),
    *,
    form: Format | None = None,
) -> None:
    """Raise UsageError if a file to write is one that the user cannot get back: the spec, the table, its output, the ledger.

    So it is if its name is that of a table of another format than `form`, which nothing could read (None: no table is written).
    `tables` are the table and the output that the command uses, files or patterns, besides those that the spec names.
    """
    if target == "-" or "://" in target:
        return
    place = Path(target).resolve()
    named = [spec.path(path) for path in (spec.input.path, spec.output.path) if path and "://" not in path]
    own = [
        ("the spec", Path(spec.file)),
        *(("a table of this spec", Path(path)) for path in (*named, *tables) if path),
    ]
    for what, file in own:
        if place == file.resolve():
            raise UsageError(f"{flag} {target}: this is {what}, and would be replaced. Name another file")
        inside = file.is_dir() and file.resolve() in place.parents and format_of(target) is not None
        if inside or _matches(target, str(file)):
            raise UsageError(
                f"{flag} {target}: this would be read as a part of {what}. Write to another folder"
            )
    if ledger.resolve() in place.parents:
        raise UsageError(f"{flag} {target}: this is in the ledger's folder. Name another file")
    if (found := format_of(target)) not in (None, form):
        what = f"{form} is" if form else "no table is"
        raise UsageError(
            f"{flag} {target}: {what} written, and the name is that of {found}. Name another file"
        )


def _input(spec: Spec, overrides: Overrides) -> str:
    if overrides.input is not None:
        return overrides.input
    path = spec.input.path
    if path is None:
        raise UsageError(f"{spec.file}: no table to read. Set input.path, or give --input")
    return path if path == "-" or "://" in path else str(spec.path(path))


def _is_part(output: str, given: str) -> bool:
    """Return True if an output is in the input folder or matches the input pattern."""
    if Path(given).is_dir():
        return in_partitions(str(Path(output).resolve()), str(Path(given).resolve()))
    return _matches(output, given)


def _matches(target: str, given: str) -> bool:
    """Return True if a file would be read as a part of a table that is a pattern."""
    if not has_magic(given) or Path(given).exists():  # such as a table that is named `a[1].csv`
        return False
    pattern = os.path.abspath(given)  # noqa: PTH100 - a pattern must not be resolved
    names = {os.path.abspath(target), str(Path(target).resolve())}  # noqa: PTH100 - the pattern may go by a link
    if "**" in pattern:  # also no folder
        return any(fnmatch(name, pattern.replace("**/", "")) for name in names)
    return any(Path(name).match(pattern) for name in names)
