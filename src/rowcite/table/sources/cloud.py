"""Object stores, through Arrow's filesystems.

Arrow takes credentials from the same places as each cloud's tools: the environment, profiles, single sign-on, the
machine's role. (fsspec needs a package for each cloud, and obstore does not read AWS profiles.)
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec.models import Format
from rowcite.table.sources.limits import NO_SPACE
from rowcite.table.sources.partitions import in_partitions
from rowcite.table.sources.registry import format_of

_PART = 8 << 20
_CHECK_SUFFIX = ".rowcite-check"
"""A suffix without a format: an object that cannot be deleted is not read as a part of a table."""
_HINTS = {
    "s3": "Check the name, and that AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, give access to it "
    "(AWS_REGION is its region, AWS_ENDPOINT_URL the address of another store)",
    "gs": "Check the name, and that GOOGLE_APPLICATION_CREDENTIALS (or `gcloud auth application-default login`) gives access to it",
    "az": "Check the name, and that AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY (or `az login`) give access to it",
}


def download_parts(
    url: str, kind: Format | None, folder: Path
) -> tuple[Mapping[Path, str], tuple[object, ...]]:
    """Copy an object, the objects of a glob, or those of a folder into a local folder.

    Return the address of each copy, and the stamp of the objects.

    Raises:
        TableError: the object does not exist, or cannot be read to its end.
    """
    store, found = _found(url, kind)
    scheme, copies = url.partition("://")[0].lower(), {}
    for number, info in enumerate(found):
        name, local = f"{scheme}://{info.path}", folder / f"{number:06}" / Path(info.path).name
        with _store_errors(name, scheme):
            _copy(store, info, local)
        copies[local] = name
    return copies, _stamp(found)


def stamp_parts(url: str, kind: Format | None) -> tuple[object, ...]:
    """Return the stamp of the objects that `download_parts` would copy."""
    return _stamp(_found(url, kind)[1])


def _stamp(found: list[Any]) -> tuple[object, ...]:
    return tuple((info.path, info.size, info.mtime_ns) for info in found)


def _found(url: str, kind: Format | None) -> tuple[Any, list[Any]]:
    """Return the store of an address, and its objects there."""
    scheme, _, key = url.partition("://")
    scheme = scheme.lower()
    with _store_errors(url, scheme):
        store = _store(url, scheme, key)
        found = _parts(store, key.rstrip("/"), kind)
    if not found:
        raise TableError(f"{url}: no such object, and no folder of tables. {_HINTS[scheme]}")
    return store, found


def upload(file: Path, url: str) -> None:
    """Copy a local file to an object, which appears whole or not at all.

    Raises:
        TableError: the object cannot be written.
    """
    scheme, _, key = url.partition("://")
    with _store_errors(url, scheme.lower()):
        store = _store(url, scheme.lower(), key)
        with file.open("rb") as local, store.open_output_stream(key, compression=None) as remote:
            shutil.copyfileobj(local, remote, _PART)


def exists(url: str) -> bool:
    """Return True if there is an object at an address, which is not empty."""
    scheme, _, key = url.partition("://")
    with _store_errors(url, scheme.lower()):
        info = _store(url, scheme.lower(), key).get_file_info(key)
    return bool(info.is_file and info.size)


def delete(url: str) -> None:
    """Delete an object."""
    scheme, _, key = url.partition("://")
    with _store_errors(url, scheme.lower()):
        _store(url, scheme.lower(), key).delete_file(key)


def check_bucket(url: str) -> None:
    """Check that the bucket of an object exists.

    Raises:
        TableError: it does not exist, or access is denied.
    """
    from pyarrow import fs

    scheme, _, key = url.partition("://")
    with _store_errors(url, scheme.lower()):
        bucket = key.split("/", 1)[0]
        found = _store(url, scheme.lower(), key).get_file_info(bucket)
        if found.type == fs.FileType.NotFound:
            raise TableError(f"{url}: no bucket named {bucket!r}. {_HINTS[scheme.lower()]}")


def check_writable(url: str) -> None:
    """Check that an object can be written, by writing an empty one beside it, which is deleted if the store lets it be.

    Raises:
        TableError: the store does not let it be written.
    """
    scheme, _, key = url.partition("://")
    with _store_errors(url, scheme.lower()):
        store, beside = _store(url, scheme.lower(), key), f"{key}{_CHECK_SUFFIX}"
        store.open_output_stream(beside, compression=None).close()
        with suppress(OSError, pa.ArrowException):
            store.delete_file(beside)


def is_part_of(url: str, table: str) -> bool:
    """Return True if an object is in a folder, or matches a glob."""
    key, folder = url.partition("://")[2], table.partition("://")[2].rstrip("/")
    return in_partitions(key, folder) or bool(_pattern(folder).fullmatch(key))


def _copy(store: Any, info: Any, local: Path) -> None:
    local.parent.mkdir()
    with store.open_input_stream(info.path, compression=None) as remote, local.open("wb") as copy:
        shutil.copyfileobj(remote, copy, _PART)
    if local.stat().st_size != info.size:
        raise TableError(
            f"{info.path}: {local.stat().st_size:,} of {info.size:,} bytes received. It may have changed: run again"
        )


def _store(url: str, scheme: str, key: str) -> Any:
    """Return the filesystem of a URL."""
    from pyarrow import fs

    if not key.strip("/"):
        raise TableError(f"{url}: names no object. Write {scheme}://bucket/path/to/table.csv")
    if scheme == "s3":
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if endpoint is None and region is None:
            region = fs.resolve_s3_region(key.split("/", 1)[0])
        return fs.S3FileSystem(
            endpoint_override=endpoint, region=region, connect_timeout=10, request_timeout=60
        )
    if scheme == "gs":
        return fs.GcsFileSystem(retry_time_limit=timedelta(seconds=60))
    account = os.environ.get("AZURE_STORAGE_ACCOUNT")
    if not account:
        raise TableError(
            f"{url}: AZURE_STORAGE_ACCOUNT is not set. Set it to the name of the storage account"
        )
    return fs.AzureFileSystem(
        account, account_key=os.environ.get("AZURE_STORAGE_KEY"), sas_token=os.environ.get("AZURE_STORAGE_SAS_TOKEN")
    )  # fmt: skip


def _parts(store: Any, key: str, kind: Format | None) -> list[Any]:
    """Return the objects of a key, a glob or a folder, sorted by name."""
    from pyarrow import fs

    def files(at: str, *, deep: bool) -> list[Any]:
        inside = store.get_file_info(fs.FileSelector(at, recursive=deep, allow_not_found=True))
        return sorted((info for info in inside if info.is_file), key=lambda info: info.path)

    info = store.get_file_info(key)
    if info.is_file:
        return [info]
    if any(sign in key for sign in "*?["):
        at = re.split(r"[*?\[]", key, maxsplit=1)[0].rpartition("/")[0]
        if not at:
            raise TableError(f"{key}: name the bucket without a wildcard")
        wanted = _pattern(key)
        deep = "/" in key[len(at) + 1 :]
        return [info for info in files(at, deep=deep) if wanted.fullmatch(info.path)]
    if info.type == fs.FileType.Directory:
        return [
            info
            for info in files(key, deep=True)
            if (kind or format_of(info.path))
            and Path(info.path).name[0] not in "._"
            and in_partitions(info.path, key)
        ]
    return []


def _pattern(glob: str) -> re.Pattern[str]:
    """Return a glob as an expression for whole paths: `*` and `?` stay in one folder, `**/` does not."""
    words = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*|\?|\[[^\]/]+\])", glob)
    return re.compile(
        "".join(
            words.get(part)
            or (part.replace("[!", "[^") if part[:1] == "[" and part[-1:] == "]" else re.escape(part))
            for part in parts
        )
    )


@contextmanager
def _store_errors(name: str, scheme: str) -> Iterator[None]:
    """Translate a store's error into a TableError with a hint; a full local disk has its own message."""
    try:
        yield
    except (OSError, pa.ArrowException, re.error) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise TableError(f"{name}: {NO_SPACE}") from error
        text = re.sub(r"\s*\(Request ID: [^)]*\)", "", str(error)).split(". Detail:", 1)[0]
        raise TableError(f"{name}: cannot be read or written: {text}. {_HINTS[scheme]}") from error
