"""The one walk from the bytes of a request to the bytes of its answer."""

from collections.abc import Iterable, Iterator

from sagetree.errors import RequestError, SchemaError
from sagetree.predictions.scored_rows import ScoredRows
from sagetree.serve.answers.encoders import encoder_for
from sagetree.serve.answers.outputs import predictions_of
from sagetree.serve.attributes import DECISION_ATTRIBUTE, choose_output, chosen_decision
from sagetree.serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES_KEY
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.models.loading import Holder, ServedModel
from sagetree.serve.negotiation import choose_accept, choose_decoder, default_accept
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.protocol.route_names import MODEL_NAME
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.observation import Trace
from sagetree.tables.layout import refuse_shifted
from sagetree.tables.table import Table


def invocations(
    settings: ServeSettings, holder: Holder, request: Request, trace: Trace
) -> Response:
    """Answer rows with scores; every error it raises has its answer in `routes.problems`."""
    content_type = request.header("content-type")
    default = settings.accept or default_accept(content_type, batch=settings.batch)
    accept = choose_accept(request.header("accept"), default)
    encoder = encoder_for(accept, batch=settings.batch)
    body_format = choose_decoder(content_type, request.header("content-encoding"))

    attributes = request.header(CUSTOM_ATTRIBUTES_KEY)
    served = as_asked(holder.wait(), attributes)
    output = choose_output(attributes, settings.output, served.keys)
    model = served.model
    trace.columns = model.schema.trained_names

    if not request.body:
        return Response(204)
    hints = Hints(
        model.schema,
        body_format.parameters,
        limit=settings.max_body,
        batch=settings.batch,
        numbers=() if output.shows_cells else model.features.number_columns,
        missing=model.features.missing.texts,
    )
    tables = body_format.decode(request.body, hints)
    predictions = (predictions_of(rows, output) for rows in score(served, tables, trace))
    answer = encoder.encode_all(predictions)
    trace.reached("encode")
    return Response(200, answer, encoder.content_type)


def as_asked(served: ServedModel, attributes: str) -> ServedModel:
    """Return the model by the decision that a request's custom attributes name, if they do.

    Raises RequestError for one that is wrong, or that the model cannot go by.
    """
    decision = chosen_decision(attributes)
    if not decision:
        return served
    try:
        return served.deciding(decision)
    except ValueError as error:
        where = f"{CUSTOM_ATTRIBUTES}, {DECISION_ATTRIBUTE}"
        hint = "Ask for a score from 0 to 1 or another rule, or leave it out"
        raise RequestError(str(error), where=where, hint=hint) from error


def score(served: ServedModel, tables: Iterable[Table], trace: Trace) -> Iterator[ScoredRows]:
    """Yield the scored rows of each table; a large body has several."""
    model, name = served.model, trace.model or MODEL_NAME
    for table in tables:
        trace.reached("decode")
        before = trace.rows
        trace.rows += table.rows
        try:
            refuse_shifted(table, model.schema, model.features.missing)
            inputs = model.schema.arrange(table)
            matrix = model.features.transform(inputs)
            base_margin = model.base_margin(table)
        except SchemaError as error:
            raise error.moved(before) from error
        trace.reached("transform")
        scores = model.scorer.score(matrix.values, base_margin)
        trace.scored(served.monitor, matrix, scores)
        trace.reached("score")
        yield ScoredRows(model, table, inputs, matrix, scores, name, base_margin)
