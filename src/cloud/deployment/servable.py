"""Whether a package can take the place of the one that is served: seen before that is given up."""

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.names import Settings


def check_servable(clients: Clients, settings: Settings, package: Package) -> None:
    """Raise Refused for a package that must not be served, or whose model nobody could ask.

    Inside Lambda nothing rolls back, as SageMaker does: its model is loaded here first.
    """
    package.check()
    package.columns(clients)
    if settings.endpoint_kind != "lambda":
        return
    from sagetree.cloud.deployment.loading import FAULTS, application_of  # with it comes XGBoost

    try:
        application_of(clients, package)
    except FAULTS as error:
        raise Refused(f"its model cannot be loaded: {error}", where=package.arn) from error
