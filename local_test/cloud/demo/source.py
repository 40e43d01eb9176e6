"""A server of another house, which gives a table to whoever has its token."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def source(table: bytes, token: str) -> Iterator[str]:
    """Serve a table on loopback; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == f"Bearer {token}"
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(table if known else b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="source", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/customers.csv"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
