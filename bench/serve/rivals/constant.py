"""A constant, by gunicorn's own ASGI worker: what the HTTP alone costs there."""

from typing import Any

HEADERS = [(b"content-type", b"text/csv"), (b"content-length", b"19")]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer any request."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"0.01819000020623207"})
