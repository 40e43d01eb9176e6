"""The challenger's share of the requests, once both models are in service."""

from typing import Literal

from botocore.exceptions import ClientError

from sagetree.cloud.deployment.challenger import Challenger
from sagetree.cloud.deployment.endpoint import DeployedEndpoint, is_busy
from sagetree.cloud.deployment.parameters import TOLD, DeployCall
from sagetree.cloud.deployment.requests import BESIDE, weights_request
from sagetree.cloud.names import NONE

Weighed = Literal["done", "asked", "failed"]

# SageMaker keeps weights as floats of single precision.
_CLOSE = 0.001


def weigh(work: DeployCall, now: DeployedEndpoint, challenger: Challenger | None) -> Weighed:
    """Give the challenger his share of what the endpoint, which is in service, is asked.

    It has "failed" where SageMaker was asked for it, and is at work no more.
    """
    if challenger is None or challenger.note.share is None:
        return "done"
    share = challenger.note.share / 100
    whole = sum(now.weights.values())
    if whole and abs(now.weights.get(BESIDE, 0.0) / whole - share) < _CLOSE:
        return "done"
    if challenger.note.is_asked:
        return "failed"
    request = weights_request(work.settings, challenger.note.share)
    try:
        work.clients["sagemaker"].update_endpoint_weights_and_capacities(**request)
    except ClientError as error:
        if not is_busy(error):
            raise
        return "asked"  # by another call, or it comes to it when it has settled
    challenger.note.mark(work.parameters, is_asked=True)
    work.parameters.put(TOLD, NONE)
    return "asked"
