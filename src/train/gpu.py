"""The program of a further GPU of a machine: it trains as a host does, and says nothing itself.

`sagetree.train.hosts.other_gpus` starts it. Its errors reach the first process, which writes
the log, the reason of a failure and the model.
"""

import json
import logging
import sys
from pathlib import Path

from sagetree.machine.allocator import hold_apart, share_allocator
from sagetree.machine.paths import OptMl
from sagetree.machine.program import FAILED, LOG, ended, start_logging
from sagetree.machine.unused import left_out_unused
from sagetree.train.hosts.cluster import Cluster
from sagetree.train.hosts.resource_config import Hosts


def main(text: str) -> int:
    """Train as one of the hosts that the JSON `text` describes; return the exit code."""
    asked = json.loads(text)
    start_logging(sys.stderr)
    LOG.setLevel(logging.CRITICAL)
    hold_apart()
    share_allocator()
    with left_out_unused():  # imports that take seconds
        from sagetree.train.job import walk
    print("here", flush=True)  # noqa: T201 - to the process that has started this one
    opt_ml, overrides = OptMl(Path(asked["root"])), asked["overrides"]
    hosts = Hosts.of_gpus(asked["count"], asked["rank"])
    cluster = Cluster(asked["port"], asked["timeout"])
    return ended(lambda: walk(opt_ml, overrides, hosts, cluster), lambda _: FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
