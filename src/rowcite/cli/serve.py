"""`rowcite serve`: the local Task API server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.voice import Voice
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rowcite.research import Corpus
    from rowcite.research.model_prompt import Endpoint
    from rowcite.research.model_reader import ModelResearcher


def _path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    from pathlib import Path  # here, so that `rowcite --help` does without it

    return Path(value) if value is not None else None


@click.command("serve", short_help="The local Task API server, over a folder of documents.")
@click.option(
    "--corpus",
    required=True,
    type=click.Path(exists=True, file_okay=False),
    callback=_path,
    help="Folder of documents to answer from.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8099, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 is any free one."
)
@click.option(
    "--port-file",
    type=click.Path(dir_okay=False),
    callback=_path,
    help="Write the port here when it listens.",
)
@click.option(
    "--key", default=None, help="Ask for this API key (or set ROWCITE_SERVE_KEY); none is asked for without."
)
@click.option(
    "--latency",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="0: at once; 1: as long as the real processors take.",
)
@click.option("--rate-limit", default=None, type=click.IntRange(min=1), help="Requests a minute before 429.")
@click.option(
    "--journal",
    type=click.Path(dir_okay=False),
    callback=_path,
    help="Append a JSON line for each request and run.",
)
@click.option(
    "--faults", default=None, metavar="JSON", help="Make some things go wrong, on purpose (docs/serve.md)."
)
@click.option(
    "--quirks",
    default="",
    metavar="NAMES",
    help="Do what is not documented the other way: names with commas between, or all (docs/serve.md).",
)
@click.option(
    "--credit",
    default=None,
    type=click.FloatRange(min=0, max=1e9),
    metavar="USD",
    help="Have so much credit: runs hold their price, and 402 when it is used up.",
)
@click.option(
    "--webhook-secret",
    default=None,
    metavar="SECRET",
    help="Sign what webhooks are told with this (or set ROWCITE_WEBHOOK_SECRET).",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False),
    callback=_path,
    metavar="DIR",
    help="Keep runs in this folder, so that they outlive the server.",
)
@click.option(
    "--llm-base-url",
    default=None,
    metavar="URL",
    help="Let a language model read the documents: an OpenAI-compatible endpoint; the key is ROWCITE_LLM_KEY.",
)
@click.option("--llm-model", default=None, metavar="NAME", help="The model's name there.")
@click.option(
    "--llm-workers",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Runs that wait for the model at once.",
)
@click.option(
    "--llm-timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0.1, max=3600),
    help="Seconds to wait for a reply; then the run is answered without the model.",
)
def command(  # noqa: PLR0913 - one argument an option
    *,
    corpus: Path,
    host: str,
    port: int,
    port_file: Path | None,
    key: str | None,
    latency: float,
    rate_limit: int | None,
    journal: Path | None,
    faults: str | None,
    quirks: str,
    credit: float | None,
    webhook_secret: str | None,
    data: Path | None,
    llm_base_url: str | None,
    llm_model: str | None,
    llm_workers: int,
    llm_timeout: float,
) -> int:
    """Serve Parallel's Task API from a folder of documents, for rehearsals and tests."""
    try:
        from rowcite.research import open_corpus
        from rowcite.server.app import ServerSettings, create_app
        from rowcite.server.quirks import read_quirks
        from rowcite.server.run import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rowcite"):
            raise
        raise UsageError(
            f"the server is an extra ({error}). Install it: pip install 'rowcite[local]'"
        ) from error
    voice = Voice.current()
    endpoint = _endpoint(llm_base_url, llm_model, llm_timeout)
    settings = ServerSettings(
        key=key or os.environ.get("ROWCITE_SERVE_KEY") or None,
        latency=latency,
        rate_limit=rate_limit,
        faults=_plan(faults) if faults else None,
        journal=journal,
        quirks=read_quirks(quirks),
        credit=credit,
        webhook_secret=webhook_secret or os.environ.get("ROWCITE_WEBHOOK_SECRET") or None,
        data=data,
        researchers=llm_workers if endpoint else 1,
    )
    documents = open_corpus(corpus, cache=data / "pages" if data else None)
    for text in documents.skipped:
        voice.warning(text)
    app = create_app(_with_model(documents, endpoint) if endpoint else documents, settings)

    def ready(url: str) -> None:
        voice.info(f"{documents.size:,} documents of {corpus} answer at {url} (Ctrl-C ends it)")

    try:
        serve(app, host=host, port=port, port_file=port_file, on_ready=ready)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}. Name another --port, or 0"
        ) from error
    return 0


def _endpoint(base_url: str | None, model: str | None, timeout: float) -> Endpoint | None:
    """Return where the language model is; None when none is asked for."""
    if base_url is None and model is None:
        return None
    if not base_url or not model:
        raise UsageError("--llm-base-url and --llm-model go together: give both, or neither")
    from rowcite.research.model_prompt import Endpoint

    return Endpoint(base_url, model, os.environ.get("ROWCITE_LLM_KEY"), timeout)


def _with_model(documents: Corpus, endpoint: Endpoint) -> ModelResearcher:
    from rowcite.research.model_reader import ModelResearcher

    return ModelResearcher(documents, endpoint)


def _plan(faults: str) -> dict[str, Any]:
    import json

    try:
        return dict(json.loads(faults))
    except (ValueError, TypeError) as error:
        raise UsageError(f"--faults is not a JSON object: {error}") from error
