"""The network interfaces that Lambda keeps in a network: one for each subnet, for all functions.

One whose last function is gone stays for a while, and its subnet cannot be deleted. Here it is gone
as soon as somebody has seen it after that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from local_test.cloud.account.actors import ACCOUNT, REGION, SERVICE, Actors
from local_test.cloud.account.replacing import replaced


@dataclass
class Interfaces:
    """The interfaces that are there, by their subnets, each with the functions that use it."""

    actors: Actors
    there: dict[str, NetworkInterface] = field(default_factory=dict)
    users: dict[str, set[str]] = field(default_factory=dict)

    def join(self, function: LambdaFunction) -> None:
        """Give a function its interfaces."""
        network = function.vpc_config or {}
        for subnet in network.get("SubnetIds", []):
            if subnet not in self.there:
                self.there[subnet] = self._made(subnet, network["SecurityGroupIds"])
            self.users.setdefault(subnet, set()).add(function.function_arn)

    @contextmanager
    def operations(self) -> Iterator[None]:
        """Have moto tell of them, and keep their subnets."""

        def described(asked: ElasticNetworkInterfaces) -> ActionResult:
            return self._described(asked)

        delete, delete_subnet = vars(LambdaFunction)["delete"], vars(SubnetBackend)["delete_subnet"]
        with (
            replaced(LambdaFunction, delete=self._left(delete)),
            replaced(SubnetBackend, delete_subnet=self._kept(delete_subnet)),
            replaced(ElasticNetworkInterfaces, describe_network_interfaces=described),
        ):
            yield

    def _made(self, subnet: str, groups: list[str]) -> NetworkInterface:
        client = self.actors.client(SERVICE, "ec2")
        made = client.create_network_interface(
            SubnetId=subnet, Groups=groups, Description="AWS Lambda VPC ENI"
        )["NetworkInterface"]["NetworkInterfaceId"]
        interface: NetworkInterface = ec2_backends[ACCOUNT][REGION].enis[made]
        interface.interface_type = "lambda"
        return interface

    def _left(self, delete: Callable[..., None]) -> Callable[..., None]:
        def leave(function: LambdaFunction, *place: str) -> None:
            delete(function, *place)
            for users in self.users.values():
                users.discard(function.function_arn)

        return leave

    def _kept(self, delete: Callable[..., Any]) -> Callable[..., Any]:
        def delete_subnet(this: SubnetBackend, subnet_id: str) -> Any:
            if subnet_id in self.there:
                raise DependencyViolationError(
                    f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
                )
            return delete(this, subnet_id)

        return delete_subnet

    def _described(self, asked: ElasticNetworkInterfaces) -> ActionResult:
        subnets = asked._filters_from_querystring()["subnet-id"]
        found = [one for subnet, one in self.there.items() if subnet in subnets]
        for subnet in [subnet for subnet, users in self.users.items() if not users]:
            interface = self.there.pop(subnet)
            del self.users[subnet], asked.ec2_backend.enis[interface.id]
        return ActionResult({"NetworkInterfaces": found})
