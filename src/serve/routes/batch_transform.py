"""What a batch transform job learns about this container: GET /execution-parameters."""

from sagetree.serve.protocol.messages import MEGABYTE, Request, Response, json_response
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.observation import Trace
from sagetree.serve.variables import MULTI_RECORD

# SageMaker's documented default of MaxPayloadInMB, and its limit on it and on
# the product of it and MaxConcurrentTransforms.
PAYLOAD_MB = 6
TOTAL_MB = 100


def execution_parameters(settings: ServeSettings, _request: Request, _trace: Trace) -> Response:
    """Answer what a job may send when its creator did not say.

    What SageMaker's own variables say holds; else the workers are kept busy
    with mini-batches of the usual size.
    """
    limit = (settings.max_body or PAYLOAD_MB * MEGABYTE) // MEGABYTE
    megabytes = max(1, min(TOTAL_MB, limit if settings.payload_told else min(PAYLOAD_MB, limit)))
    transforms = settings.transforms or min(settings.workers, TOTAL_MB // megabytes)
    return json_response(
        {
            "MaxConcurrentTransforms": transforms,
            "BatchStrategy": settings.strategy or MULTI_RECORD,
            "MaxPayloadInMB": megabytes,
        }
    )
