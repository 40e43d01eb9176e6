"""The start of a training script; scripts call one function of it."""

from sagetree.official.lacking import lacking
from sagetree.official.training import wait_hostname_resolution as _wait_hostname_resolution

__all__ = ["_wait_hostname_resolution"]

__getattr__ = lacking(__name__)
