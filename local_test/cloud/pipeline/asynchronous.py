"""Requests to an asynchronous endpoint: from S3 to the container, its answer to S3, and a message.

The endpoint's role reads and writes, as SageMaker does it.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_test.cloud.account.actors import SERVICE, Actors
from local_test.cloud.account.backstage import Backstage
from local_test.cloud.pipeline.objects import place
from local_test.cloud.pipeline.servers import MODEL_SECONDS, Servers

_PREFIX = "x-amzn-sagemaker-"


@dataclass(frozen=True)
class Asynchronous:
    """The asynchronous endpoints of the account."""

    actors: Actors
    backstage: Backstage
    servers: Servers

    def later(self, endpoint: str, identifier: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Have a request answered, and return the headers that say where the answer will be."""
        sagemaker = self.actors.client(SERVICE, "sagemaker")
        name = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        output = config["AsyncInferenceConfig"]["OutputConfig"]
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        role = model["ExecutionRoleArn"].rsplit("/", 1)[-1]
        places = {
            "OutputLocation": f"{output['S3OutputPath']}/{identifier}.out",
            "FailureLocation": f"{output['S3FailurePath']}/{identifier}-error.out",
        }
        given = {
            key.removeprefix(_PREFIX): text
            for key, text in headers.items()
            if key.startswith(_PREFIX)
        }
        notified = output.get("NotificationConfig", {})
        self.backstage.later(
            lambda: self._answer(endpoint, identifier, given, places, role, notified)
        )
        return {f"X-Amzn-SageMaker-{key}": text for key, text in places.items()}

    def _answer(
        self, endpoint: str, identifier: str, given: Mapping[str, str], places: Mapping[str, str],
        role: str, notified: Mapping[str, str],
    ) -> None:  # fmt: skip
        s3: Any = self.actors.client(role, "s3")
        bucket, key = place(given["inputlocation"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        asked = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.servers.address(endpoint)}/invocations",
            body,
            {
                "Content-Type": given["content-type"],
                "Accept": given["accept"],
                "X-Amzn-SageMaker-Custom-Attributes": given["custom-attributes"],
            },
        )
        try:
            with urllib.request.urlopen(asked, timeout=MODEL_SECONDS) as answer:  # noqa: S310
                said, where, topic = answer.read(), places["OutputLocation"], "SuccessTopic"
        except urllib.error.HTTPError as error:
            with error:
                said, where, topic = error.read(), places["FailureLocation"], "ErrorTopic"
        bucket, key = place(where)
        s3.put_object(Bucket=bucket, Key=key, Body=said)
        if topic in notified:
            status = "Completed" if topic == "SuccessTopic" else "Failed"
            message = {"invocationStatus": status, "inferenceId": given.get("inference-id", ""),
                       "responseParameters": {"outputLocation": where}}  # fmt: skip
            self.actors.client(role, "sns").publish(
                TopicArn=notified[topic], Subject=f"{endpoint}: {identifier}",
                Message=json.dumps(message),
            )  # fmt: skip
