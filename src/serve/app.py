"""The Flask application: routes, and the one walk from request bytes to response bytes."""

from functools import partial

import orjson
from flask import Flask, Response, g, request
from sagemaker_inference import content_types
from werkzeug.exceptions import HTTPException

from sagetree.program import LOG
from serve import access
from serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from serve.attributes import choose_output, parse_attributes
from serve.bodies import discard_body, read_body
from serve.encoders import CONTENT_TYPES, ENCODERS
from serve.loading import ModelHolder
from serve.negotiation import choose_accept, choose_decoder
from serve.outputs import ScoredRows, predictions_of
from serve.problems import problem_of
from serve.settings import MEGABYTE, ServeSettings

# SageMaker's documented default of MaxPayloadInMB, and its limit on the
# product of that and MaxConcurrentTransforms.
BATCH_PAYLOAD_MB = 6
BATCH_TOTAL_MB = 100


def create_app(settings: ServeSettings, holder: ModelHolder) -> Flask:
    """Return the application; `holder` has the model, or will have."""
    app = Flask("serve", static_folder=None)
    routes = {
        "/ping": (partial(ping, holder), "GET"),
        "/invocations": (partial(invocations, settings, holder), "POST"),
        "/execution-parameters": (partial(execution_parameters, settings), "GET"),
    }
    for rule, (view, method) in routes.items():
        app.add_url_rule(rule, rule, view, methods=[method], provide_automatic_options=False)
    app.before_request(access.begin)
    app.after_request(access.finish)
    app.register_error_handler(Exception, answer_error)
    return app


def ping(holder: ModelHolder) -> Response:
    """Answer 200 with an empty body once the model has passed its self-check."""
    holder.model()
    return Response(content_type="text/plain")


def invocations(settings: ServeSettings, holder: ModelHolder) -> Response:
    """Answer rows with scores; every error it raises has its answer in `serve.problems`."""
    accept = choose_accept(request.accept_mimetypes, settings.accept)
    body_format = choose_decoder(
        request.headers.get("Content-Type", ""), request.headers.get("Content-Encoding", "")
    )
    attributes = parse_attributes(request.headers.get(CUSTOM_ATTRIBUTES, ""))

    served = holder.wait()
    output = choose_output(attributes, settings.output, served.keys)
    model = served.model

    body = read_body(settings.max_body)
    table = body_format.decode(body, body_format.parameters, model.schema)
    g.rows = table.rows
    inputs = model.schema.arrange(table)
    matrix = model.features.transform(inputs)
    scores = model.scorer.score(matrix.values)

    predictions = predictions_of(ScoredRows(model, inputs, matrix, scores), output)
    answer = ENCODERS[accept](predictions)
    if settings.batch:  # AssembleWith=Line puts line ends of its own between answers
        answer = answer.removesuffix(b"\n")
    return Response(answer, content_type=CONTENT_TYPES[accept])


def execution_parameters(settings: ServeSettings) -> Response:
    """Answer what a batch transform job may send when its creator did not say."""
    megabytes = min(
        BATCH_PAYLOAD_MB, (settings.max_body or BATCH_PAYLOAD_MB * MEGABYTE) // MEGABYTE
    )
    parameters = {
        "MaxConcurrentTransforms": min(settings.workers, BATCH_TOTAL_MB // megabytes),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": megabytes,
    }
    return Response(orjson.dumps(parameters), content_type=content_types.JSON)


def answer_error(error: Exception) -> Response:
    """Answer any error with its problem; one that nobody foresaw goes to the log."""
    problem = problem_of(error)
    if problem.status == 500:
        LOG.error("%s failed", g.request_id, exc_info=error)
    discard_body()
    response = Response(
        problem.to_json(g.request_id), status=problem.status, content_type=content_types.JSON
    )
    if isinstance(error, HTTPException):  # such as Allow
        response.headers.extend(
            [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
        )
    return response
