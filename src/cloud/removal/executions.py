"""Executions of the pipeline that are on their way: they would register packages after a clean-up.

CloudFormation cannot delete a pipeline before they have ended, either.
"""

import time

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.endpoint import is_absent
from sagetree.cloud.deployment.errors import Busy
from sagetree.cloud.names import Settings

# A job that is stopped has two minutes to end.
POLL_SECONDS = 5


def stop_executions(clients: Clients, settings: Settings, until: float) -> int:
    """Stop executions and wait until they have ended; return how many there were.

    Raises Busy for one that has not ended by `until`, a time in seconds since 1970.
    """
    running = _running(clients, settings)
    refusals = {}
    for arn, status in running.items():
        if status == "Executing":
            try:
                clients["sagemaker"].stop_pipeline_execution(PipelineExecutionArn=arn)
            except ClientError as error:  # it may have ended by itself meanwhile
                refusals[arn] = error
    left = running
    while left:
        left = _running(clients, settings)
        for arn, status in left.items():
            if status == "Executing" and arn in refusals:
                raise refusals[arn]
        if left and time.time() + POLL_SECONDS > until:
            raise Busy(f"{', '.join(sorted(left))} is still being stopped")
        if left:
            time.sleep(POLL_SECONDS)
    return len(running)


def _running(clients: Clients, settings: Settings) -> dict[str, str]:
    """Return the status of each execution that has not ended, by its ARN."""
    pages = clients["sagemaker"].get_paginator("list_pipeline_executions")
    try:
        return {
            told["PipelineExecutionArn"]: told["PipelineExecutionStatus"]
            for page in pages.paginate(PipelineName=settings.stack)
            for told in page["PipelineExecutionSummaries"]
            if told["PipelineExecutionStatus"] in ("Executing", "Stopping")
        }
    except ClientError as error:
        if not is_absent(error):
            raise
        return {}
