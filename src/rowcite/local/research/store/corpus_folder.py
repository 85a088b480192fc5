"""The files of a corpus folder: which ones are documents, their manifest, and one hash over all."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rowcite.errors import InputError
from rowcite.local.research.documents.document import FileMetadata, metadata_in
from rowcite.local.research.documents.file_formats import SUFFIXES
from rowcite.wording import did_you_mean_file, plural

MANIFEST = "manifest.csv"

Manifest = dict[str, dict[str, FileMetadata]]


def corpus_digest(folder: Path | str) -> str:
    """Return the sha256 (hex) over the sorted (relative path, sha256 of content) of documents and manifest."""
    root = Path(folder)
    paths, _ = corpus_files(root)
    contents = ((relative_name(root, one), hashlib.sha256(one.read_bytes()).hexdigest()) for one in paths)
    return digest_of(contents)


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Return the digest over files given as relative path and sha256 (hex) of the content."""
    total = hashlib.sha256()
    for name, content in sorted(files):
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def corpus_files(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the documents below `folder` and its manifest, and lines that count links out of it and files of other kinds.

    A served document may be cited in full, and a link must not make one of any file that this user can read.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder{did_you_mean_file(folder)}. Name a folder of HTML, Markdown, text, PDF or JSONL files as the corpus."
        )
    root = folder.resolve()
    shown = [path for path in sorted(folder.rglob("*")) if path.exists() and not _is_hidden(path, folder)]
    links = [path for path in shown if path.is_symlink() and not path.resolve().is_relative_to(root)]
    files = [path for path in shown if path.is_file() and path not in links]
    read = [path for path in files if path.suffix.lower() in SUFFIXES or path == folder / MANIFEST]
    kinds = Counter(path.suffix.lower() for path in files if path.name != MANIFEST)
    others = [f"{count:,} {kind}" for kind, count in sorted(kinds.items()) if kind not in SUFFIXES | {""}]
    lines = []
    if links:
        example = relative_name(folder, links[0])
        lines.append(f"{plural(len(links), 'link')} out of the folder left out, such as {example}")
    if others:
        lines.append(f"not read, of other kinds: {', '.join(others[:8])}")
    return read, lines


def relative_name(folder: Path, path: Path) -> str:
    """Return the path below `folder` with `/` and composed accents, equal on every platform."""
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


def read_manifest(files: Iterable[Path]) -> tuple[Manifest, list[str]]:
    """Return the metadata of each file and of the pages in it, and a line for a manifest that cannot be read."""
    try:
        texts = [path.read_text(encoding="utf-8-sig") for path in files if path.name == MANIFEST]
        rows = [row for text in texts for row in csv.DictReader(io.StringIO(text))]
    except (OSError, UnicodeError, csv.Error) as error:
        return {}, [f"{MANIFEST}: {error}"]
    stated: Manifest = {}
    for row in rows:
        if row.get("file"):
            name = row["file"].strip()
            stated.setdefault(name.partition("#")[0], {})[name] = metadata_in(row)
    return stated, []


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
