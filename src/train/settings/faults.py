"""What is wrong with a job's configuration, gathered so that all of it is reported at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from sagetree.errors import SagetreeError, SettingsError


class Faults:
    """The faults found so far: settings' as sentences, config files' and mounts' as errors."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.errors: list[SagetreeError] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Take up an error that is raised here, and go on behind it."""
        try:
            yield
        except SagetreeError as error:
            self.errors.append(error)

    def check(self) -> None:
        """Raise what was found: an error that is alone as it is, else SettingsError naming all."""
        if len(self.errors) == 1 and not self.texts:
            raise self.errors[0]
        found = [*self.texts, *(f"{error.where}: {error.message}" for error in self.errors)]
        if found:
            hint = "Correct it" if len(found) == 1 else f"Correct all {len(found)}"
            raise SettingsError("; ".join(found), hint=hint)
