"""A server on loopback, with TLS on request, that sends scripted bytes."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Scripted:
    """A server that answers requests from a script: each item is called with the handler; the last one stays."""

    def __init__(self, *script, tls=None):
        self.script, self.seen, self.headers = list(script), [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.seen.append((self.command, self.path))
                outer.headers.append(dict(self.headers))
                step = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                step(self)

            do_GET = do_POST = handle_one  # noqa: N815 - the names that http.server calls

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # a client that hangs up is what some tests are about
        if tls is not None:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.http.server_port}"


@contextmanager
def scripted(*script, tls=None):
    server = Scripted(*script, tls=tls)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()


def says(status, body=b"{}", **headers):
    """Answer with a status, a body (JSON unless bytes) and headers."""

    def step(handler):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"content-length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return step


def streams(*chunks, then="end"):
    """Send a stream in chunks, then end it as HTTP wants it, break it, or say nothing more."""

    def step(handler):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if then == "end":
            handler.wfile.write(b"0\r\n\r\n")
        elif then == "stall":
            time.sleep(1)
        if then != "end":
            handler.close_connection = True

    return step


def drops(handler):
    """Close the connection without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def sleeps(handler):
    time.sleep(0.8)
    handler.close_connection = True
