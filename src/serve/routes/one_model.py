"""The routes of a server with one model."""

from functools import partial

from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES_KEY
from sagetree.serve.attributes import may_explain
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.protocol.messages import Request
from sagetree.serve.protocol.route_names import INVOCATIONS
from sagetree.serve.routes import kserve
from sagetree.serve.routes.batch_transform import execution_parameters
from sagetree.serve.routes.information import information
from sagetree.serve.routes.site import METRICS, Handlers, Site, metrics, ping
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.walk import invocations


def one_model(
    settings: ServeSettings, holder: ModelHolder[ServedModel], observer: Observer
) -> Site:
    """Return the site of one model; `holder` has it, or will have."""
    handlers: Handlers = {
        ("GET", "/ping"): partial(ping, holder),
        ("POST", INVOCATIONS): partial(invocations, settings, holder),
        ("GET", "/execution-parameters"): partial(execution_parameters, settings),
        ("GET", METRICS): partial(metrics, observer),
        **kserve.routes(settings, holder),
        **information(settings, holder),
    }
    return Site(settings, handlers, observer, partial(_is_prepared, settings, holder))


def _is_prepared(
    settings: ServeSettings, holder: ModelHolder[ServedModel], request: Request
) -> bool:
    state = holder.state  # once: a reload may put another in its place
    if not isinstance(state, ServedModel):
        return holder.is_settled
    return answers_at_once(settings, state, request)


def answers_at_once(settings: ServeSettings, served: ServedModel, request: Request) -> bool:
    """Say whether the model has all that an invocation with these headers needs."""
    explains = may_explain(request.header(CUSTOM_ATTRIBUTES_KEY), settings.output)
    return not explains or served.model.scorer.explains_at_once
