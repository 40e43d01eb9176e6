"""Responses to bytes."""

from sagetree.serve.http.response_head import head_of
from sagetree.serve.protocol.messages import Response


def test_the_head_of_a_response() -> None:
    response = Response(415, b"{}", "application/json", {"X-Amzn-RequestId": "7"})
    lines = head_of(response, keep=True, old=False).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 415 Unsupported Media Type"
    assert lines[1].startswith(b"Date: ")
    assert lines[1].endswith(b" GMT")
    assert lines[2:] == [
        b"Content-Length: 2", b"Content-Type: application/json", b"X-Amzn-RequestId: 7", b"", b""
    ]  # fmt: skip
    assert b"\r\nConnection: close\r\n" in head_of(response, keep=False, old=False)
    assert b"\r\nConnection: keep-alive\r\n" in head_of(response, keep=True, old=True)
