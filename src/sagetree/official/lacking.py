"""Errors for what the official packages have and these have not: they name what to take instead."""

from collections.abc import Callable, Mapping
from importlib.abc import MetaPathFinder
from types import MappingProxyType, ModuleType
from typing import NoReturn

_SERVED = "sagetree serve and train call the script's functions: leave it out"

# The last part of a name -> what to do without it.
_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "modules": "Name packages in requirements.txt",
        "transformer": _SERVED,
        "server": _SERVED,
        "runner": _SERVED,
        "trainer": _SERVED,
        "process": _SERVED,
        "serving": _SERVED,
        "handler_service": _SERVED,
        "algorithm_mode": "Run without sagemaker_program: sagetree train is the algorithm",
        "callback": "Take xgboost.callback",
        "checkpointing": "Take xgboost.callback.TrainingCheckPoint",
        "dmlc_patch": "Take xgboost.collective",
        "distributed_gpu": "Take xgboost.dask",
        "metrics": "Take sklearn.metrics",
        "env": "Use the SM_* variables, or training_env()",
        "ServingEnv": "Use the SAGEMAKER_* variables",
        "mapping": "Take json",
        "params": "Use the SM_* and SAGEMAKER_* variables",
        "_recordio": "Use sagemaker.amazon.common of SageMaker's SDK",
        "record_pb2": "Use sagemaker.amazon.common of SageMaker's SDK",
    }
)
_OTHERWISE = "Use xgboost, sagemaker_inference or sagemaker_training"


def _message(name: str) -> str:
    instead = next((_INSTEAD[p] for p in name.split(".") if p in _INSTEAD), _OTHERWISE)
    return f"{name} of the official container is not available in sagetree. {instead}"


def lacking(module: str) -> Callable[[str], NoReturn]:
    """Return the `__getattr__` of a module; it raises ImportError for what is not in it."""

    def missing(name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(_message(f"{module}.{name}"))

    return missing


class Lacking(ModuleType):
    """A module that may be imported, and has nothing."""

    def __getattr__(self, name: str) -> NoReturn:
        lacking(self.__name__)(name)


class LackingFinder(MetaPathFinder):
    """Says so where a package has no such module; the last of the finders."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, *_where: object) -> None:
        """Raise ModuleNotFoundError for a module of the package that no finder has found."""
        if fullname.startswith(f"{self._package}."):
            raise ModuleNotFoundError(_message(fullname))
