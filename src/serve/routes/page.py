"""The page to try the model in a browser: GET /. It asks nobody but the server itself."""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

import orjson

from sagetree.serve.protocol.messages import Response
from sagetree.tables.cells import Cell

# Nothing from elsewhere, and no script but the page's own, whatever a column is called.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; style-src {style}; script-src {script}"
)


def page(schema: Mapping[str, object], example: Mapping[str, Cell]) -> Response:
    """Return the page for a model's schema (`routes.information`), filled with the example row."""
    folder = files("sagetree.serve.routes")
    script = (folder / "page.js").read_text("utf-8")
    model = orjson.dumps({"schema": schema, "example": example}).decode()
    html = (folder / "page.html").read_text("utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    # a "<" could end the element that the JSON stands in
    parts = {"model": model.replace("<", "\\u003c"), "script": script}
    body = re.sub(r"\{\{(model|script)\}\}", lambda found: parts[found[1]], html)
    headers = {
        "Content-Security-Policy": _POLICY.format(style=_hash(style), script=_hash(script)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(200, body.encode(), "text/html; charset=utf-8", headers)


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
