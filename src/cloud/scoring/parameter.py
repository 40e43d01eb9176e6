"""A parameter of the stack as a function that lives for hours sees it."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import Clients
from sagetree.errors import NotReadyError
from sagetree.machine.program import LOG

# How old a value may be: a deployment takes minutes, and Parameter Store takes 40 calls a second
# of all functions together.
SECONDS = 60.0

# How old one may be that has turned out not to be what is wanted.
FRESH_SECONDS = 1.0


class Parameter:
    """The value of one parameter, read anew when it has grown old."""

    def __init__(self, clients: Clients, name: str, clock: Callable[[], float]) -> None:
        self._ssm = clients["ssm"]
        self._clock = clock
        self._value = ""
        self.read_at = 0.0
        self.name = name

    def value(self, seconds: float = SECONDS) -> str:
        """Return the value, which is at most this many `seconds` old.

        Raises NotReadyError where there is no such parameter.
        """
        if not self._value or self._clock() - self.read_at >= seconds:
            self._read()
        return self._value

    def _read(self) -> None:
        try:
            found = self._ssm.get_parameter(Name=self.name)
        except (BotoCoreError, ClientError) as error:
            if _is_absent(error):
                raise not_deployed(self.name) from error
            if not self._value:
                raise
            LOG.warning(
                "%s could not be read again, and its old value is used: %s", self.name, error
            )
        else:
            self._value = found["Parameter"]["Value"]
        self.read_at = self._clock()


def not_deployed(where: str) -> NotReadyError:
    """Return the error of a stack that has no model yet."""
    hint = "Run the pipeline, and approve the package that it registers"
    return NotReadyError("no model has been deployed yet", where=where, hint=hint)


def _is_absent(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ParameterNotFound"
