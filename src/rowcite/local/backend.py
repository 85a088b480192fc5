"""The local backend as a command hands it to the core: the digest of its documents, and its server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rowcite.errors import UsageError
from rowcite.wording import needs_extra


def digest(corpus: Path) -> str:
    """Return the digest of a folder of documents.

    Raises:
        InputError: the folder cannot be used.
    """
    from rowcite.local.research.store.corpus_folder import corpus_digest

    return corpus_digest(corpus)


@contextmanager
def serving(corpus: Path, cache: Path) -> Iterator[str]:
    """Serve the Task API from a folder of documents in this process; yield its base URL.

    `cache` is the folder where documents are kept as read.

    Raises:
        UsageError: the extra `local` is not installed.
    """
    with needs_extra("local", "the local backend needs", UsageError):
        from rowcite.local.research.corpus import open_corpus
        from rowcite.local.server.app import ServerSettings, create_app
        from rowcite.local.server.serving import embedded
    settings = ServerSettings(private_addresses=True)  # the MCP servers are those of the user's own spec
    with embedded(create_app(open_corpus(corpus, cache=cache), settings)) as base_url:
        yield base_url
