"""The environment variables that name proxies and certificates: read only where they are used, and named in errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from rowcite.api.base_url import host_of, is_loopback
from rowcite.errors import UsageError

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
_SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_for(url: str) -> str | None:
    """Return the proxy for a URL by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; None for this machine.

    Raises:
        UsageError: the variable does not have a proxy's URL.
    """
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    found = getproxies()
    scheme = next((scheme for scheme in (parts.scheme, "all") if found.get(scheme)), None)
    return None if scheme is None else _checked_proxy(_variable(f"{scheme}_proxy"), found[scheme])


def _checked_proxy(name: str, proxy: str) -> str:
    """Return a proxy's URL. Its user name and password are never shown."""
    proxy = proxy.strip()
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(url)
        valid = bool(host_of(parts)) and (parts.port is None or parts.port > 0) and url.isprintable()
    except ValueError:
        valid = False
    if not valid or parts.scheme not in _SCHEMES:
        raise UsageError(
            f"{name} is not the URL of a proxy: it must begin with http://, https:// or socks5:// and a host. Correct or unset it"
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise UsageError(
            f"{name} names a SOCKS proxy, which needs a package: pip install 'httpx[socks]'. Or unset {name}"
        )
    return url


def _variable(name: str) -> str:
    """Return an environment variable's name as it is set, in any case."""
    return next((set_name for set_name in os.environ if set_name.lower() == name), f"the system's {name}")


@contextmanager
def certificate_errors() -> Iterator[None]:
    """Translate an error of reading certificates into a UsageError that names the variable with their place.

    Raises:
        UsageError: the block raised an OSError, SSL_CERT_FILE is not a file, or SSL_CERT_DIR not a folder.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file and not Path(file).is_file():  # httpx before 0.28 ignores it
        raise UsageError(f"SSL_CERT_FILE={file} is not a file. Correct or unset it")
    if folder and not file and not Path(folder).is_dir():
        raise UsageError(f"SSL_CERT_DIR={folder} is not a folder. Correct or unset it")
    try:
        yield
    except OSError as error:
        keys = os.environ.get("SSLKEYLOGFILE")
        named = ["SSLKEYLOGFILE"] if keys and error.filename == keys else list(_CERTIFICATES)
        name = next((name for name in named if os.environ.get(name)), None)
        if name is None:
            raise
        raise UsageError(
            f"{name}={os.environ[name]} cannot be used: {error.strerror or error}. Correct or unset it"
        ) from error
