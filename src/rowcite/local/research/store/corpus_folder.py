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
    hashes = ((path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in corpus_files(root))
    return digest_of((relative_name(root, path), content) for path, content in hashes)


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Return the digest over files given as relative path and sha256 (hex) of the content."""
    total = hashlib.sha256()
    for name, content in sorted(files):
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def corpus_files(folder: Path) -> list[Path]:
    """Return the documents below `folder` and its manifest, without hidden files and folders, and without links out of it.

    A served document may be cited in full, and a link must not make one of any file that this user can read.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder{did_you_mean_file(folder)}. Name a folder of HTML, Markdown, text, PDF or JSONL files as the corpus."
        )
    root = folder.resolve()
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    return [path for path in [*files, folder / MANIFEST] if path.is_file() and _belongs(path, folder, root)]


def left_out(folder: Path) -> list[str]:
    """Return a line that counts the links to what is outside of the folder, and one that counts the files of kinds that are not read."""
    root = folder.resolve()
    paths = sorted(
        path for path in folder.rglob("*") if path.exists() and not _hidden(path.relative_to(folder))
    )
    links = [path for path in paths if not _is_within(path, root)]
    read = SUFFIXES | {""}
    kinds = Counter(path.suffix.lower() for path in paths if path.is_file() and path.name != MANIFEST)
    lines = []
    if links:
        example = relative_name(folder, links[0])
        lines.append(f"{plural(len(links), 'link')} out of the folder left out, such as {example}")
    if others := [f"{count:,} {kind}" for kind, count in sorted(kinds.items()) if kind not in read]:
        lines.append(f"not read, of other kinds: {', '.join(others[:8])}")
    return lines


def relative_name(folder: Path, path: Path) -> str:
    """Return the path below `folder` with `/` and composed accents, equal on every platform."""
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


def read_manifest(path: Path) -> tuple[Manifest, list[str]]:
    """Return the metadata of each file and of the pages in it, and a line for a manifest that cannot be read."""
    if not path.is_file() or not _belongs(path, path.parent, path.parent.resolve()):
        return {}, []
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeError, csv.Error) as error:
        return {}, [f"{MANIFEST}: {error}"]
    stated: Manifest = {}
    for row in rows:
        if row.get("file"):
            name = row["file"].strip()
            stated.setdefault(name.partition("#")[0], {})[name] = metadata_in(row)
    return stated, []


def _belongs(path: Path, folder: Path, root: Path) -> bool:
    return not _hidden(path.relative_to(folder)) and _is_within(path, root)


def _is_within(path: Path, root: Path) -> bool:
    """Return True unless a path is a link out of a folder."""
    return not path.is_symlink() or path.resolve().is_relative_to(root)


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)
