"""uvicorn as the server and the review use it: without logs, without trust in the headers of a proxy, on a socket that is bound."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Literal

import uvicorn
from starlette.applications import Starlette

LOOPBACK = "127.0.0.1"


class UvicornServer(uvicorn.Server):
    """Calls `ready` once it listens. `grace` is the number of seconds that requests in progress have at its end."""

    def __init__(
        self,
        app: Starlette,
        ready: Callable[[], None],
        *,
        lifespan: Literal["on", "off"] = "off",
        grace: int | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan=lifespan,
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=grace,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `ready`."""
        await super().startup(sockets)
        self._ready()


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket; uvicorn makes it listen. Port 0 picks a free one.

    Raises:
        OSError: the port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm only if the protocol is named; otherwise an answer takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
