"""The page to try the model in a browser: GET /. It asks nobody but the server itself."""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

import orjson

from sagetree.serve.protocol.messages import Response

# One script, in the order in which its parts need one another.
SCRIPTS = ("words", "form", "ask", "score", "reasons", "what_if", "rows", "page")

# Nothing from elsewhere, and no script but the page's own, whatever a column is called.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; style-src {style}; script-src {script}"
)


def page(model: Mapping[str, object]) -> Response:
    """Return the page for a model, given what `facts` says about it."""
    script = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    style = _read("page.css")
    # a "<" could end the element that the JSON stands in
    known = orjson.dumps(model).decode().replace("<", "\\u003c")
    parts = {"model": known, "script": script, "style": style}
    body = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _read("page.html"))
    headers = {
        "Content-Security-Policy": _POLICY.format(style=_hash(style), script=_hash(script)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(200, body.encode(), "text/html; charset=utf-8", headers)


def _read(name: str) -> str:
    return (files("sagetree.serve.page") / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
