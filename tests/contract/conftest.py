"""Every test here runs twice: on the installed programs, and (marked docker) on the image."""

import pytest

from tests.contract.backends import Backend, Image, Local
from tests.image.conftest import image  # noqa: F401 - a fixture


@pytest.fixture(scope="session", params=["local", pytest.param("image", marks=pytest.mark.docker)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """A way to run the programs."""
    return Local() if request.param == "local" else Image(request.getfixturevalue("image"))
