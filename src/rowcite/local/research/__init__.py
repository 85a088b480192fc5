"""The engine behind the local server: answers questions from a folder of documents, with evidence.

The names are loaded when they are first used, so that `rowcite.local.research.digest` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rowcite.local.research.corpus import Corpus, open_corpus
    from rowcite.local.research.digest import corpus_digest
    from rowcite.local.research.question import Finding, Question, Told
    from rowcite.local.research.search import SearchResult

_HOMES = {
    "Corpus": "corpus",
    "Finding": "question",
    "Question": "question",
    "SearchResult": "search",
    "Told": "question",
    "corpus_digest": "digest",
    "open_corpus": "corpus",
}

__all__ = ["Corpus", "Finding", "Question", "SearchResult", "Told", "corpus_digest", "open_corpus"]


def __getattr__(name: str) -> Any:
    """Load a public name from the file it lives in."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
