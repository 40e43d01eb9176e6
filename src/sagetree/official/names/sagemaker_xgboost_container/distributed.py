"""Training on several hosts: here there is only one."""

from sagetree.official.lacking import lacking
from sagetree.official.training import rabit_run, wait_hostname_resolution

__all__ = ["rabit_run", "wait_hostname_resolution"]

__getattr__ = lacking(__name__)
