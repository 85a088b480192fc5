"""The engine behind the local server: it answers questions from a folder of documents, with citations.

Names are imported when they are first used, so that `corpus_digest` needs none of the engine's libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rowcite.local.research.corpus import Corpus, open_corpus
    from rowcite.local.research.question import Finding, Question, ToolAnswer
    from rowcite.local.research.search import SearchResult
    from rowcite.local.research.store.corpus_folder import corpus_digest

_MODULES = {
    "Corpus": "corpus",
    "Finding": "question",
    "Question": "question",
    "SearchResult": "search",
    "ToolAnswer": "question",
    "corpus_digest": "store.corpus_folder",
    "open_corpus": "corpus",
}

__all__ = ["Corpus", "Finding", "Question", "SearchResult", "ToolAnswer", "corpus_digest", "open_corpus"]


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
