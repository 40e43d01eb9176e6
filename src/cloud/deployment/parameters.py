"""What the stack remembers of its deployments, in Parameter Store."""

from functools import cached_property
from typing import NamedTuple

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import NONE, Settings

# The package that was asked for last, the config that the endpoint was last set to serve, the
# package that is served, the columns of its model, and what was last sent to the topic; the
# package beside the wanted one, the versions that have been served, and those that a person has
# taken back.
WANTED_PACKAGE = "wanted-package"
WANTED_CONFIG = "wanted-config"
DEPLOYED_PACKAGE = "deployed-package"
COLUMNS = "columns"
TOLD = "told"
CHALLENGER = "challenger"
SERVED = "served-packages"
WITHDRAWN = "withdrawn-packages"

NAMES = (
    WANTED_PACKAGE, WANTED_CONFIG, DEPLOYED_PACKAGE, COLUMNS, TOLD, CHALLENGER, SERVED, WITHDRAWN,
)  # fmt: skip


class Parameters:
    """The stack's parameters, as they were when first asked for and as it has written them since.

    Not before: who waits first for a package is to see what others have written meanwhile.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._ssm = clients["ssm"]
        self._paths = {name: settings.parameter(name) for name in NAMES}

    @cached_property
    def _found(self) -> dict[str, tuple[str, int]]:
        """The value and the version of each path."""
        found = self._ssm.get_parameters(Names=list(self._paths.values()))["Parameters"]
        return {told["Name"]: (told["Value"], told["Version"]) for told in found}

    def get(self, name: str) -> str:
        """Return a parameter's value, NONE where there is none."""
        return self._found.get(self._paths[name], (NONE, 0))[0]

    def put(self, name: str, value: str) -> str | None:
        """Write a value where it is another.

        Return what another call wrote between the last look and this, None if there is no such.
        """
        if self.get(name) == value:
            return None
        path = self._paths[name]
        _, known = self._found.get(path, (NONE, 0))
        version = self._ssm.put_parameter(
            Name=path,
            Value=value,
            Type="String",
            Tier="Intelligent-Tiering",  # more than 4096 characters take the advanced one
            Overwrite=True,
        )["Version"]
        self._found[path] = (value, version)
        if version == known + 1:
            return None
        before = self._ssm.get_parameters(Names=[f"{path}:{version - 1}"])["Parameters"]
        return str(before[0]["Value"]) if before else None


class DeployCall(NamedTuple):
    """What one call of the deploy function works with, until `deadline` in seconds since 1970."""

    clients: Clients
    settings: Settings
    parameters: Parameters
    deadline: float
