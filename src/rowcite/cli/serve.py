"""`rowcite serve`: the local Task API server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rowcite.cli.console import Console
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rowcite.local.research.corpus import Corpus
    from rowcite.local.research.language_model.endpoint import Endpoint
    from rowcite.local.server.answering import Researcher
    from rowcite.local.server.app import ServerSettings


class _Flags(NamedTuple):
    """The command's options."""

    corpus: Path | None
    bench: bool
    hostile: float
    citations: int | None
    cache: Path | None
    no_cache: bool
    host: str
    port: int
    port_file: Path | None
    key: str | None
    latency: float
    latency_mean: float | None
    rate_limit: int | None
    journal: Path | None
    faults: str | None
    quirks: str
    credit: float | None
    webhook_secret: str | None
    private_addresses: bool
    data: Path | None
    llm_base_url: str | None
    llm_model: str | None
    llm_workers: int
    llm_timeout: float


def _path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    from pathlib import Path  # imported here to keep `rowcite --help` fast

    return Path(value) if value is not None else None


@click.command("serve")
@click.option(
    "--corpus",
    default=None,
    type=click.Path(exists=True, file_okay=False),
    callback=_path,
    help="Folder of documents to answer from.",
)
@click.option(
    "--bench",
    is_flag=True,
    help="Answer without documents as fast as possible, to measure clients (docs/serve.md).",
)
@click.option(
    "--hostile",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="With --bench: make this share of the texts hostile (unicode, quotes, line breaks, formulas, empty, long).",
)
@click.option(
    "--citations",
    type=click.IntRange(0, 100),
    metavar="N",
    help="With --bench: give each field this number of citations (default 3).",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False),
    callback=_path,
    metavar="DIR",
    help="Cache parsed documents in DIR.  [default: pages in --data, else the system's cache folder]",
)
@click.option("--no-cache", is_flag=True, help="Parse all documents at each start, without a cache.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8099,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port; 0 picks a free one.",
)
@click.option(
    "--port-file",
    type=click.Path(dir_okay=False),
    callback=_path,
    help="Write the port to this file when the server listens.",
)
@click.option(
    "--key", default=None, help="Require this API key (or set ROWCITE_SERVE_KEY).  [default: none required]"
)
@click.option(
    "--latency",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="0 answers at once, 1 takes as long as the real processors.",
)
@click.option(
    "--latency-mean",
    default=None,
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    metavar="SECONDS",
    help="Draw each run's duration from a lognormal distribution (sigma 1) with this mean, by its input.",
)
@click.option(
    "--rate-limit", default=None, type=click.IntRange(min=1), help="Requests per minute before 429."
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False),
    callback=_path,
    help="Append a JSON line to this file for each request and run.",
)
@click.option("--faults", default=None, metavar="JSON", help="Inject faults (docs/serve.md).")
@click.option(
    "--quirks",
    default="",
    metavar="NAMES",
    help="Use the other behaviour where the API is undocumented: names separated by commas, or all (docs/serve.md).",
)
@click.option(
    "--credit",
    default=None,
    type=click.FloatRange(min=0, max=1e9),
    metavar="USD",
    help="Start with USD of credit; runs reserve their price, and 402 is returned when it is used up.",
)
@click.option(
    "--webhook-secret",
    default=None,
    metavar="SECRET",
    help="Sign webhook deliveries with this secret (or set ROWCITE_WEBHOOK_SECRET).",
)
@click.option(
    "--private-addresses",
    is_flag=True,
    help="Call webhooks and MCP servers at private addresses too, such as this machine's.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False),
    callback=_path,
    metavar="DIR",
    help="Store runs in this folder, so that they survive a restart.",
)
@click.option(
    "--llm-base-url",
    default=None,
    metavar="URL",
    help="Let a language model read the documents, at this OpenAI-compatible endpoint; the key is ROWCITE_LLM_KEY.",
)
@click.option("--llm-model", default=None, metavar="NAME", help="Name of the model at that endpoint.")
@click.option(
    "--llm-workers",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Runs that wait for the model at the same time.",
)
@click.option(
    "--llm-timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0.1, max=3600),
    help="Seconds to wait for a reply; after that, the run is answered without the model.",
)
def command(**given: Any) -> int:
    """Serve Parallel's Task API from a folder of documents, for rehearsals and tests."""
    from rowcite.wording import needs_extra

    with needs_extra("local", "the server needs", UsageError):
        from rowcite.local.server.app import create_app
        from rowcite.local.server.serving import serve
    flags, console = _Flags(**given), Console.current()
    settings = _settings(flags)
    if not settings.loopback_only and settings.key is None:
        console.warning(
            f"--host {flags.host} without --key: everyone who reaches this machine can use the server. Set a key"
        )
    researcher, name = _researcher(flags, console)
    app = create_app(researcher, settings)

    def ready(url: str) -> None:
        console.info(f"{name} at {url}  Press Ctrl-C to stop")

    console.on_interrupt = None
    try:
        serve(app, host=flags.host, port=flags.port, port_file=flags.port_file, on_ready=ready)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {flags.host}:{flags.port}: {error.strerror or error}. Choose another --port, or 0"
        ) from error
    console.info(str(app.state.engine.counts))
    return 0


def _settings(flags: _Flags) -> ServerSettings:
    from rowcite.local.server.addresses import is_loopback
    from rowcite.local.server.app import ServerSettings
    from rowcite.local.server.latency import Lognormal
    from rowcite.local.server.quirks import read_quirks

    if flags.latency and flags.latency_mean is not None:
        raise UsageError("--latency and --latency-mean exclude each other: give one of them")
    return ServerSettings(
        key=flags.key or os.environ.get("ROWCITE_SERVE_KEY") or None,
        latency=flags.latency if flags.latency_mean is None else Lognormal(flags.latency_mean),
        rate_limit=flags.rate_limit,
        faults=_plan(flags.faults) if flags.faults else None,
        journal=flags.journal,
        quirks=read_quirks(flags.quirks),
        credit=flags.credit,
        webhook_secret=flags.webhook_secret or os.environ.get("ROWCITE_WEBHOOK_SECRET") or None,
        data=flags.data,
        loopback_only=is_loopback(flags.host),
        private_addresses=flags.private_addresses,
        researchers=flags.llm_workers if flags.llm_base_url else 1,
    )


def _researcher(flags: _Flags, console: Console) -> tuple[Researcher, str]:
    """Return what answers the runs, and the message for the moment it listens."""
    endpoint = _endpoint(flags.llm_base_url, flags.llm_model, flags.llm_timeout)
    if flags.bench:
        if flags.corpus or endpoint:
            raise UsageError("--bench reads no documents: remove --corpus and --llm-base-url")
        from rowcite.local.server.bench import CITATIONS, Bench

        citations = CITATIONS if flags.citations is None else flags.citations
        return Bench(flags.hostile, citations), "Serving bench answers (not research)"
    if flags.hostile or flags.citations is not None:
        raise UsageError("--hostile and --citations are about --bench: give it too")
    if flags.corpus is None:
        raise UsageError("no documents: give --corpus DIR (or --bench, to measure clients)")
    from rowcite.local.research.corpus import open_corpus

    documents = open_corpus(flags.corpus, cache=_cache(flags))
    for text in documents.skipped:
        console.warning(text)
    name = f"Serving answers from {documents.size:,} documents in {flags.corpus}"
    return _with_model(documents, endpoint) if endpoint else documents, name


def _cache(flags: _Flags) -> Path | None:
    """Return the folder of the document cache; None with --no-cache."""
    import platformdirs  # of the extra `local`

    if flags.no_cache:
        if flags.cache:
            raise UsageError("--cache and --no-cache exclude each other: give one of them")
        return None
    system = platformdirs.user_cache_path("rowcite", appauthor=False)
    return flags.cache or (flags.data / "pages" if flags.data else system)


def _endpoint(base_url: str | None, model: str | None, timeout: float) -> Endpoint | None:
    """Return the language model's endpoint; None without one."""
    if base_url is None and model is None:
        return None
    if not base_url or not model:
        raise UsageError("--llm-base-url and --llm-model go together: give both, or neither")
    from rowcite.local.research.language_model.endpoint import Endpoint

    return Endpoint(base_url, model, os.environ.get("ROWCITE_LLM_KEY"), timeout)


def _with_model(documents: Corpus, endpoint: Endpoint) -> Researcher:
    from rowcite.local.research.language_model.reader import ModelResearcher

    return ModelResearcher(documents, endpoint)


def _plan(faults: str) -> dict[str, Any]:
    import json

    try:
        return dict(json.loads(faults))
    except (ValueError, TypeError) as error:
        raise UsageError(f"--faults is not a JSON object: {error}") from error
