"""The cache folder of each corpus, and the name of the store in it: another when files must be read again."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from rowcite.files import write_whole

UNUSED_FOR = 90 * 86_400.0  # seconds until an unused corpus is deleted
_MARK = "rowcite-corpus.txt"  # names the corpus of a cache folder, touched at each use
_READERS = ("selectolax", "markdown-it-py", "pypdf", "msgspec")


def platform_cache(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return the platform's cache folder for rowcite: `XDG_CACHE_HOME/rowcite` or its equivalent."""
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "rowcite" / "Cache"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rowcite"
    given = Path(environ.get("XDG_CACHE_HOME") or "~")
    return (given if given.is_absolute() else Path.home() / ".cache") / "rowcite"


def corpus_cache(root: Path, corpus: Path) -> Path:
    """Return the cache folder of a corpus, created if needed; delete folders unused for 90 days.

    Two corpora never share a folder, so neither deletes the other's documents.
    """
    where = str(corpus.resolve())
    folder = root / f"corpus-{hashlib.sha256(where.encode()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / _MARK, f"{where}\n".encode(), private=True)
    for other in root.glob("corpus-*"):
        mark = other / _MARK
        if other != folder and mark.is_file() and time.time() - mark.stat().st_mtime > UNUSED_FOR:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def store_file(folder: Path) -> Path:
    """Return the path of this engine's store in a corpus's cache folder; delete those of other versions of the engine."""
    file = folder / f"pages-{engine_fingerprint()[:16]}.sqlite"
    for other in folder.glob("pages*"):
        if not other.name.startswith(file.name):
            other.unlink(missing_ok=True)
    return file


@cache
def engine_fingerprint() -> str:
    """Return a hash of the engine's source and the parsers' versions: when it changes, files are read again."""
    total = hashlib.sha256()
    for name in _READERS:
        total.update(f"{name} {version(name)}\n".encode())
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()
