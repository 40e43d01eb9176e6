"""Executions of the pipeline that are on their way: they would register packages after a clean-up.

CloudFormation cannot delete a pipeline before they have ended, either.
"""

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.endpoint import is_absent
from sagetree.cloud.names import Settings
from sagetree.cloud.removal.stopping import stop_all


def stop_executions(clients: Clients, settings: Settings, until: float) -> int:
    """Stop executions and wait until they have ended; return how many there were.

    Raises Busy for one that has not ended by `until`, a time in seconds since 1970.
    """
    stop = clients["sagemaker"].stop_pipeline_execution
    return stop_all(
        lambda: _running(clients, settings), lambda arn: stop(PipelineExecutionArn=arn), until
    )


def _running(clients: Clients, settings: Settings) -> dict[str, bool]:
    """Return the ARN of each execution that has not ended, and whether it is not being stopped."""
    pages = clients["sagemaker"].get_paginator("list_pipeline_executions")
    try:
        return {
            told["PipelineExecutionArn"]: told["PipelineExecutionStatus"] == "Executing"
            for page in pages.paginate(PipelineName=settings.stack)
            for told in page["PipelineExecutionSummaries"]
            if told["PipelineExecutionStatus"] in ("Executing", "Stopping")
        }
    except ClientError as error:
        if not is_absent(error):
            raise
        return {}
