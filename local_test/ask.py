"""Ask an HTTP server once, and print the head of its answer: curl, for machines without it.

usage: ask.py URL [FILE] [--content-type TYPE] [--accept TYPE] [--body FILE]

FILE is posted; without one it is a GET. The body of the answer goes to the file that --body names.
Ends with 0 where there was an answer, whatever its status. With the standard library only.
"""

import argparse
import http.client
import sys
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 120


def main() -> int:
    """Ask, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--content-type", default="text/csv")
    parser.add_argument("--accept", default="*/*")
    parser.add_argument("--body", type=Path)
    options = parser.parse_args()
    url = urlsplit(options.url)
    headers = {"Accept": options.accept}
    body = None
    if options.file:
        body = options.file.read_bytes()
        headers["Content-Type"] = options.content_type
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=SECONDS)
    try:
        connection.request("POST" if body is not None else "GET", url.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        print(f"{options.url}: {error}", file=sys.stderr)
        return 1
    print(f"HTTP/{answer.version / 10} {answer.status} {answer.reason}")
    for name, value in answer.getheaders():
        print(f"{name}: {value}")
    print()
    if options.body:
        options.body.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
