"""The hosts of a processing job, as SageMaker names them: there may be only one."""

import json
from collections.abc import Mapping

from sagetree.errors import SettingsError
from sagetree.machine.paths import OptMl

ONE_HOST = "Set its instance count to 1"


def check_one_host(opt_ml: OptMl, reason: str, hint: str = ONE_HOST) -> None:
    """Raise SettingsError in a job of several hosts, with the reason why one does the work.

    A file that cannot be read says nothing: outside SageMaker there is none.
    """
    try:
        config = json.loads(opt_ml.processing_resource_config.read_bytes())
    except (OSError, ValueError):
        return
    hosts = config.get("hosts") if isinstance(config, Mapping) else None
    if isinstance(hosts, list) and len(hosts) > 1:
        raise SettingsError(f"the job has {len(hosts)} hosts, but {reason}", hint=hint)
