"""A bucket on loopback: as much of S3 as fetching an object asks for."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass

    def log_error(self, *_: object) -> None:
        pass


@contextmanager
def buckets(folder: Path) -> Iterator[Mapping[str, str]]:
    """Serve each folder in `folder` as a bucket; yield the variables that lead AWS's client there.

    HEAD and GET of an object are those of S3; AWS's own client asks them.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
