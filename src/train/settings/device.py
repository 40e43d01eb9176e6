"""Whether this machine and this build of XGBoost can train where the settings say."""

from collections.abc import Iterator, Mapping
from typing import Any

import xgboost

from sagetree.machine.gpus import visible_gpus
from sagetree.train.hosts.resource_config import Hosts


def device_faults(params: Mapping[str, Any]) -> Iterator[str]:
    """Yield why `device` cannot be had here: XGBoost would train on the CPU without a word."""
    if wants_gpu(params):
        yield from gpu_faults(built=bool(xgboost.build_info()["USE_CUDA"]), gpus=visible_gpus())


def device_notes(params: Mapping[str, Any], hosts: Hosts) -> Iterator[str]:
    """Yield that GPUs stay idle: of each of several hosts XGBoost trains on one."""
    if wants_gpu(params) and hosts.count > 1 and not hosts.machine:
        yield from gpu_notes(visible_gpus())


def wants_gpu(params: Mapping[str, Any]) -> bool:
    """Say whether the settings ask for a GPU."""
    return str(params.get("device", "cpu")) != "cpu"


def gpu_faults(*, built: bool, gpus: int) -> Iterator[str]:
    """Yield why no GPU can train, with `built` for XGBoost's CUDA build."""
    if not built:
        yield (
            "device is cuda, and this is XGBoost's CPU build: use the image that "
            "./build_and_push.sh --gpu builds, or device=cpu"
        )
    elif not gpus:
        yield (
            "device is cuda, and no GPU is visible here: use an instance that has one "
            "(with docker run: --gpus all), or device=cpu"
        )


def gpu_notes(gpus: int) -> Iterator[str]:
    """Yield what the log says about several GPUs if one trains."""
    if gpus > 1:
        yield f"One of the {gpus} GPUs of this machine trains; the others stay idle"
