"""Running the review until somebody ends it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette

LOOPBACK = "127.0.0.1"


def serve(app: Starlette, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve on loopback until SIGINT or SIGTERM, then return. Port 0 is any free one; `on_ready` has the base URL.

    Raises OSError when the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        url = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it, and no error
            _Server(app, lambda: on_ready(url)).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, app: Starlette, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
