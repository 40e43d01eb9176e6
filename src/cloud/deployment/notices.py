"""What people learn about deployments, by the stack's topic."""

import hashlib

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.parameters import TOLD, Parameters
from sagetree.cloud.names import Settings

# What SNS takes as a mail's subject.
SUBJECT_LENGTH = 100


def tell(
    clients: Clients, settings: Settings, parameters: Parameters, subject: str, message: str
) -> None:
    """Publish a message, unless it was the last one: events come twice and are tried again."""
    mark = hashlib.sha256(f"{subject}\n{message}".encode()).hexdigest()
    if parameters.get(TOLD) == mark:
        return
    clients["sns"].publish(
        TopicArn=settings.topic_arn,
        Subject=f"{settings.stack}: {subject}"[:SUBJECT_LENGTH],
        Message=message,
    )
    parameters.put(TOLD, mark)
