"""The answer that scripts of the official containers make: `worker.Response`."""

from typing import Any

from werkzeug.wrappers import Response as WerkzeugResponse

from sagetree.formats.media_types import JSON


class Response(WerkzeugResponse):
    """An answer of text or bytes; its type is `mimetype`, JSON if there is none."""

    default_mimetype = JSON

    def __init__(
        self,
        response: Any = None,  # noqa: ANN401 - whatever werkzeug takes
        accept: str | None = None,  # noqa: ARG002 - nobody heeds it
        status: int = 200,
        headers: Any = None,  # noqa: ANN401
        mimetype: str | None = None,
    ) -> None:
        super().__init__(response, status, headers, mimetype)
