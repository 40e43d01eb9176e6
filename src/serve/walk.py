"""The one walk from the bytes of a request to the bytes of its answer."""

from sagetree.errors import DecodingError
from serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from serve.attributes import choose_output, parse_attributes
from serve.encoders import CONTENT_TYPES, ENCODERS
from serve.loading import ModelHolder
from serve.messages import Request, Response
from serve.negotiation import choose_accept, choose_decoder
from serve.observation import Trace
from serve.outputs import ScoredRows, predictions_of
from serve.settings import ServeSettings


def invocations(
    settings: ServeSettings, holder: ModelHolder, request: Request, trace: Trace
) -> Response:
    """Answer rows with scores; every error it raises has its answer in `serve.problems`."""
    accept = choose_accept(request.header("Accept"), settings.accept)
    body_format = choose_decoder(request.header("Content-Type"), request.header("Content-Encoding"))
    attributes = parse_attributes(request.header(CUSTOM_ATTRIBUTES))

    served = holder.wait()
    output = choose_output(attributes, settings.output, served.keys)
    model = served.model

    if not request.body:
        raise DecodingError("the body is empty", hint="Send at least one row")
    table = body_format.decode(request.body[:], body_format.parameters, model.schema)
    trace.rows = table.rows
    trace.reached("decode")
    inputs = model.schema.arrange(table)
    matrix = model.features.transform(inputs)
    trace.reached("transform")
    scores = model.scorer.score(matrix.values)
    trace.scored(served.monitor, matrix, scores)
    trace.reached("score")

    predictions = predictions_of(ScoredRows(model, inputs, matrix, scores), output)
    answer = ENCODERS[accept](predictions)
    if settings.batch:  # AssembleWith=Line puts line ends of its own between answers
        answer = answer.removesuffix(b"\n")
    trace.reached("encode")
    return Response(200, answer, CONTENT_TYPES[accept])
