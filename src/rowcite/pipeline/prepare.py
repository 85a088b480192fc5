"""A spec, its overrides and a table to a job; and the API that answers it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rowcite.api.base_url import is_loopback, normal_base_url
from rowcite.api.bodies import LOCAL
from rowcite.engines.distribution import distribution, open_engine
from rowcite.errors import InputError, KeyRefused, SpecError, UsageError
from rowcite.ledger import Ledger, open_ledger
from rowcite.pipeline.job import Job, make_job
from rowcite.pipeline.overrides import NO_OVERRIDES, Overrides, as_typed, overridden, typed_command
from rowcite.pipeline.paths import (
    check_new_columns,
    check_output_columns,
    check_sheet,
    check_target,
    output_path,
    table_address,
)
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.pipeline.which_api import ApiChoice, Use, choose_api
from rowcite.spec.models import Format, Spec
from rowcite.submit.options import AnsweringApi
from rowcite.table.fillable import fillable
from rowcite.table.input_table import InputTable, open_table
from rowcite.table.reader import Reader
from rowcite.table.sources import Source

_URL_VARIABLES = ("PARALLEL_BASE_URL", "PARALLEL_API_URL")


class LocalBackend(Protocol):
    """The server that answers `backend: local`: the module `rowcite.local.backend`, which the core does not import."""

    def digest(self, corpus: Path, /) -> str:
        """Return the digest of a folder of documents."""

    def serving(self, corpus: Path, cache: Path, /) -> AbstractContextManager[str]:
        """Serve the Task API from a folder of documents; the context is the base URL."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job, the folder of its ledger, and the path of its output (None: no output).

    `wait` is how many seconds to wait for a ledger that another process uses. `warnings` are about answers of other APIs.
    `replace`: the output replaces any table. `max_cost` is the budget of a flag, in US$. `typed` are the spec and the flags
    that describe the job, as they are typed. `api_key` is used in place of the environment's.
    """

    job: Job
    ledger: Path
    output: str | None
    local: LocalBackend | None = None
    wait: float = 0.0
    warnings: tuple[str, ...] = ()
    replace: bool = False
    max_cost: float | None = None
    api_key: str | None = field(default=None, repr=False)
    typed: Mapping[str, str] = field(default_factory=dict)

    def command(self, name: str) -> str:
        """Return a command on the same job, as it is typed."""
        return typed_command(name, self.typed)

    def check_target(self, flag: str, target: str, form: Format | None = None) -> None:
        """Raise UsageError if a file to write, which a flag names, is the spec, the table, its output or in the ledger.

        `form` is the format of the file, if it is a table.
        """
        table = self.job.table.address.path if self.job.table else None
        tables = [*self.job.reader.source.files, table, self.output]
        check_target(flag, target, self.job.spec, self.ledger, tables, form=form)

    @property
    def api(self) -> str:
        """Return the API that answers: a base URL, or `local:` and the digest of the corpus."""
        return str(self.job.question.named["api"])


def prepare(  # noqa: PLR0913 - the sources of a job, by name
    spec: str | Path | Mapping[str, Any] | Spec,
    overrides: Overrides = NO_OVERRIDES,
    *,
    local: LocalBackend | None = None,
    source: Source | None = None,
    writes: bool | None = True,
    use: Use = Use.SEND,
    spool: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Prepared:
    """Read the spec and the table's header; check everything that can be checked before money is spent.

    `local` answers a spec with `backend: local`. `source` is a table in memory, in place of the spec's. `spool` is the file for stdin,
    which is read twice. If `writes` is False, the output's folder may be read-only; if it is None, there is no output. `use` is
    what the command does with the answers of an API.

    Raises:
        InputError: the spec, the table or the overrides do not work.
    """
    read = read_spec(spec, environ)
    folder = ledger_folder(read, overrides.ledger, environ)
    read = overridden(read, overrides)
    table = None
    distributed = source is None and writes is not None and read.engine.name != "polars"
    if source is None:
        identify = not distributed and (use is Use.KEEP or writes is not False)
        table = open_table(table_address(read, overrides, spool), identify=identify)
        source = table.source
    check_sheet(read, overrides, source)
    check_new_columns(read, fillable(source, read))
    choice = _api(read, overrides, local, folder, use, environ)
    output = None if writes is None else output_path(read, overrides, source, writes=writes)
    if output is not None and (writes or use is Use.SEND):
        check_output_columns(output, read, source)
    job = _job(read, overrides, source, table, choice.api)
    if distributed:
        job = _distributed(job, folder, output)
    return Prepared(
        job,
        folder,
        output,
        local,
        wait=overrides.wait_lock,
        warnings=(*choice.warnings, *map(str, source.faults)),
        replace=overrides.replace,
        max_cost=overrides.max_cost,
        api_key=overrides.api_key,
        typed=as_typed(read, overrides, choice.api),
    )


def _job(spec: Spec, overrides: Overrides, source: Source, table: InputTable | None, api: str) -> Job:
    return make_job(
        spec,
        Reader(source, spec, limit=overrides.limit),
        api,
        fresh=overrides.fresh,
        retry_failed=overrides.retry_failed,
        memory=overrides.memory,
        table=table,
    )


def _distributed(job: Job, ledger: Path, output: str | None) -> Job:
    """Return the job with a table that the workers of an engine read and write."""
    assert job.table is not None
    if job.spec.columns.reports is not None:
        raise job.spec.problem(
            ("columns", "reports"), "engine daft writes no reports: remove `reports`, or `engine`"
        )
    parts = distribution(
        partial(open_engine, job.spec.engine, _secret_variables(job.spec)),
        job.spec,
        job.question,
        job.table,
        job.reader.source.schema,
        folder=ledger.absolute() / "parts",
        output=output,
        room=job.memory // 4,
    )
    return replace(job, distribution=parts)


def _secret_variables(spec: Spec) -> list[str]:
    """Return the variables of the environment that no worker needs: the key, and those in the headers of tool servers."""
    headers = (text for path, text in spec.written.items() if path[:2] == ("task", "mcp_servers"))
    return ["PARALLEL_API_KEY", *(name for text in headers for name in re.findall(r"\$\{(\w+)", text))]


def ledger_folder(spec: Spec, flag: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of a spec's ledger: from the flag, the environment, or beside the spec."""
    return Path(flag or environ.get("ROWCITE_LEDGER") or spec.folder / ".rowcite" / spec.name)


@contextmanager
def answering(prepared: Prepared, environ: Mapping[str, str] = os.environ) -> Iterator[AnsweringApi]:
    """Yield the API that answers a job; for `backend: local`, serve it until the context ends.

    Raises:
        KeyRefused: the API needs a key and there is none.
        InputError: the local backend is not installed, or its corpus cannot be used.
    """
    spec, name = prepared.job.spec, prepared.api
    mcp = bool(spec.task.mcp_servers)
    if spec.backend == "local":
        assert prepared.local is not None
        with prepared.local.serving(_corpus(spec), prepared.ledger / "pages") as base_url:
            yield AnsweringApi(name, base_url, mcp=mcp)
        return
    yield AnsweringApi(name, name, api_key(prepared, environ), mcp=mcp)


def api_key(prepared: Prepared, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the key for the API of a job; None if that needs none.

    Raises:
        KeyRefused: the API needs a key and there is none.
    """
    key = prepared.api_key or environ.get("PARALLEL_API_KEY", "").strip() or None
    if key is None and not prepared.job.local and not is_loopback(prepared.api):
        raise KeyRefused(
            "PARALLEL_API_KEY is not set. Export the key of your Parallel account, or rehearse without one:"
            " `backend: local` and a folder of documents in the spec"
        )
    return key


def read_spec(spec: str | Path | Mapping[str, Any] | Spec, environ: Mapping[str, str] = os.environ) -> Spec:
    """Return a spec from its file or its dict.

    Raises:
        SpecError: it cannot be read, or is wrong: all problems at once.
    """
    if isinstance(spec, Spec):
        return spec
    return load_spec(spec, environ=environ) if isinstance(spec, (str, Path)) else parse_spec(spec)


def _api(  # noqa: PLR0913, PLR0917 - where an API may be named, and where its runs are
    spec: Spec,
    overrides: Overrides,
    local: LocalBackend | None,
    ledger: Path,
    use: Use,
    environ: Mapping[str, str],
) -> ApiChoice:
    """Return the API whose answers the command uses. Opens the ledger, unless the command requests answers."""
    named, corpus = None, None
    if spec.backend != "local":
        named = _named_url(overrides, environ)
    elif local is None:
        raise UsageError(f"{spec.file}: this program was given no local backend")
    else:
        corpus = LOCAL + _digest(spec, local)
        named = corpus if overrides.backend == "local" else None
    runs: Mapping[str, int] = {}
    if use is not Use.SEND:
        with closing(open_ledger(ledger, writing=False, wait=overrides.wait_lock)) as opened:
            runs = _runs_by_api(opened, named or corpus)
    return choose_api(named, corpus, runs, use)


def _runs_by_api(ledger: Ledger, api: str | None) -> Mapping[str, int]:
    """Return the number of runs at each API that has any. They are not counted where that is the one that is named."""
    names = ledger.apis_with_runs()
    is_alone = len(names) == 1 and not (api is None and names[0].startswith(LOCAL))
    return {names[0]: 1} if is_alone and api in (None, names[0]) else ledger.runs_by_api()


def _named_url(overrides: Overrides, environ: Mapping[str, str]) -> str | None:
    """Return the base URL that a flag or a variable names, in normal form."""
    if overrides.base_url is not None:
        return normal_base_url(overrides.base_url, "--base-url")
    for name in _URL_VARIABLES:
        if url := environ.get(name, "").strip():
            return normal_base_url(url, name)
    return None


def _corpus(spec: Spec) -> Path:
    assert spec.local is not None  # `overridden` has checked it
    return spec.path(spec.local.corpus)


def _digest(spec: Spec, local: LocalBackend) -> str:
    try:
        return local.digest(_corpus(spec))
    except InputError as error:
        raise SpecError(spec.file, spec.problem(("local", "corpus"), str(error)).problems) from error
