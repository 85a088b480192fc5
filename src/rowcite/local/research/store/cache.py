"""Where what was read from files is kept: a folder for each corpus, and the hash that says whether a file has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rowcite.version import __version__

UNUSED_FOR = 90 * 86_400.0  # seconds; then what is kept of a corpus is removed
_MARK = "rowcite-corpus.txt"  # in each folder of a corpus: which one it is, touched at each use
_READERS = ("selectolax", "markdown-it-py", "pypdf", "msgspec")


def platform_cache(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return where this system keeps what can be made again: `XDG_CACHE_HOME/rowcite`, or what stands for it."""
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "rowcite" / "Cache"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rowcite"
    given = Path(environ.get("XDG_CACHE_HOME") or "~")
    return (given if given.is_absolute() else Path.home() / ".cache") / "rowcite"


def corpus_cache(root: Path, corpus: Path) -> Path:
    """Return the folder for what is kept of a corpus, made when needed; forget corpora that nobody uses.

    Two corpora never share a folder, so that one's documents are not removed as gone from the other's.
    """
    where = str(corpus.resolve())
    folder = root / f"corpus-{hashlib.sha256(where.encode()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _MARK).write_text(f"{where}\n", encoding="utf-8")
    for other in root.glob("corpus-*"):
        mark = other / _MARK
        if other != folder and mark.is_file() and time.time() - mark.stat().st_mtime > UNUSED_FOR:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def key_of(content_hash: bytes, *said: str) -> bytes:
    """Return the hash over a file's own, what else is said of it, and the engine that reads it."""
    total = hashlib.sha256(engine_stamp())
    for text in said:
        total.update(f"{len(text)}:{text}".encode())
    total.update(content_hash)
    return total.digest()


@cache
def engine_stamp() -> bytes:
    """Return a hash over rowcite's version, its readers' and this room's source: an engine that reads better reads again."""
    total = hashlib.sha256(__version__.encode())
    for name in _READERS:
        total.update(f"{name} {version_of(name)}\n".encode())
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        total.update(path.read_bytes())
    return total.digest()


def version_of(package: str) -> str:
    """Return a package's version; empty when it does not say."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
