"""What the stack remembers of its deployments, in Parameter Store."""

from functools import cached_property

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import NONE, Settings

# The package that was asked for last, the config that the endpoint was last told to serve, the
# package that is served, the columns of its model, and what was last told to the topic.
WANTED_PACKAGE = "wanted-package"
WANTED_CONFIG = "wanted-config"
DEPLOYED_PACKAGE = "deployed-package"
COLUMNS = "columns"
TOLD = "told"

NAMES = (WANTED_PACKAGE, WANTED_CONFIG, DEPLOYED_PACKAGE, COLUMNS, TOLD)


class Parameters:
    """The stack's parameters, as they were when first asked for and as it has written them since.

    Not before: who waits first for a package is to see what others have written meanwhile.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._ssm = clients["ssm"]
        self._paths = {name: settings.parameter(name) for name in NAMES}

    @cached_property
    def _values(self) -> dict[str, str]:
        found = self._ssm.get_parameters(Names=list(self._paths.values()))["Parameters"]
        return {parameter["Name"]: parameter["Value"] for parameter in found}

    def get(self, name: str) -> str:
        """Return a parameter's value, NONE where there is none."""
        return str(self._values.get(self._paths[name], NONE))

    def put(self, name: str, value: str) -> None:
        """Write a value where it is another."""
        if self.get(name) == value:
            return
        self._ssm.put_parameter(
            Name=self._paths[name],
            Value=value,
            Type="String",
            Tier="Intelligent-Tiering",  # more than 4096 characters take the advanced one
            Overwrite=True,
        )
        self._values[self._paths[name]] = value
