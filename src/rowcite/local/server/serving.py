"""Running the server: in the foreground, or in a thread beside the caller's work."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette

from rowcite.files import write_whole
from rowcite.uvicorn_server import LOOPBACK, UvicornServer, bound_socket

GRACE = 5  # seconds for requests in progress; open event streams end immediately
TICK = 0.1  # seconds, as in Uvicorn, which renews its date header every tenth tick
THREAD_TIMEOUT = 10.0  # seconds for a thread to start or stop


def serve(
    app: Starlette,
    *,
    host: str = LOOPBACK,
    port: int = 8099,
    port_file: Path | None = None,
    on_ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM, then return.

    Port 0 takes any free one. Once the server listens, its port is in `port_file`, and `on_ready` is called with the base
    URL. Raises OSError if the port is in use.
    """
    listening = bound_socket(host, port)
    number: int = listening.getsockname()[1]

    def ready() -> None:
        if port_file:
            write_whole(port_file, f"{number}\n".encode())
        on_ready(f"http://{f'[{host}]' if ':' in host else host}:{number}")

    with listening:
        _Server(app, ready).run(sockets=[listening])


@contextmanager
def embedded(app: Starlette) -> Iterator[str]:
    """Serve on a free loopback port in a daemon thread; yield the base URL, stop when the block ends."""
    listening = bound_socket(LOOPBACK, 0)
    ready = threading.Event()
    server = _Server(app, ready.set)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="rowcite-server", daemon=True
    )
    with listening:
        thread.start()
        try:
            if not ready.wait(THREAD_TIMEOUT):
                raise RuntimeError(f"the embedded server did not start within {THREAD_TIMEOUT:g} s")
            yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        finally:
            server.stop()
            thread.join(THREAD_TIMEOUT)


class _Server(UvicornServer):
    """Uvicorn, with event streams that end on shutdown, and signals that end `run` instead of the process."""

    def __init__(self, app: Starlette, ready: Callable[[], None]) -> None:
        super().__init__(app, ready, lifespan="on", grace=GRACE)
        self._app = app
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        app.state.cut = self.cut

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        """Tick as Uvicorn does, but end on `stop`: its own loop looks only every tenth of a second."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), TICK)

    def stop(self) -> None:
        """End the server soon, from any thread."""
        self.should_exit = True
        with suppress(RuntimeError):  # its loop has already ended
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.engine.close()
        await super().shutdown(sockets)

    def cut(self, client: tuple[str, int]) -> None:
        """Close the connection of a client, after what was already sent."""
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == client and connection.transport:
                connection.transport.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the server. Uvicorn's version raises them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
