"""What the official container tells a training script of its job, and of other hosts."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sagetree.errors import SettingsError


def training_env() -> SimpleNamespace:
    """Return SM_TRAINING_ENV as an object: `.hyperparameters`, `.channel_input_dirs` and so on."""
    return SimpleNamespace(**json.loads(os.environ["SM_TRAINING_ENV"]))


def rabit_run(
    exec_fun: Callable[..., object],
    args: Mapping[str, Any],
    include_in_training: bool,
    hosts: Sequence[str],
    current_host: str,  # noqa: ARG001 - the official signature
    update_rabit_args: bool = False,
    **_connecting: object,
) -> None:
    """Call `exec_fun` on the only host. Raises SettingsError for several, or without data."""
    if len(hosts) > 1:
        raise SettingsError(
            f"there are {len(hosts)} hosts, and rabit_run supports only one",
            where="sagemaker_xgboost_container.distributed",
            hint="Set instance_count=1, or connect the hosts with xgboost.collective",
        )
    if not include_in_training:
        hint = "Put data into the training channel"
        raise SettingsError("no host has rows to train on", where="rabit_run", hint=hint)
    exec_fun(**args, **({"is_master": True} if update_rabit_args else {}))


def wait_hostname_resolution(*_hosts: object) -> None:
    """Return at once: the only host needs no other."""
