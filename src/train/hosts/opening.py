"""The group of a job's hosts: they meet, or there is one alone."""

from contextlib import redirect_stdout
from pathlib import Path

import xgboost
from xgboost import collective

from sagetree.errors import PlatformError
from sagetree.machine.program import LOG
from sagetree.train.hosts.cluster import Cluster
from sagetree.train.hosts.collective import Several
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.hosts.meeting import Meeting
from sagetree.train.hosts.resource_config import Hosts


def open_group(hosts: Hosts, cluster: Cluster, report: Path | None = None) -> Group:
    """Return the group, once all its hosts are there; to be entered, and left at the job's end.

    `report` is the file for the reason of a host that cannot end by itself. Raises PlatformError
    that names those which did not come.
    """
    if hosts.count == 1:
        return ONE
    meeting = Meeting(hosts, cluster)
    try:
        meeting.come()
        _join(meeting)
    except BaseException as error:
        meeting.leave(error)
        raise
    meeting.watch(report)
    LOG.info("Host %s is %d of %d", hosts.current, hosts.rank + 1, hosts.count)
    return Several(meeting)


def _join(meeting: Meeting) -> None:
    address, port = meeting.tracker
    context = collective.CommunicatorContext(  # which finds NCCL for the CUDA build
        dmlc_communicator="rabit",
        dmlc_tracker_uri=address,
        dmlc_tracker_port=port,
        dmlc_task_id=f"{meeting.hosts.rank:06}",  # which sorts as a text
        dmlc_timeout=meeting.cluster.timeout,
    )
    try:
        with redirect_stdout(None):  # XGBoost prints its rank at any verbosity
            collective.init(**context.args)
    except xgboost.core.XGBoostError as error:
        raise meeting.ask_who_is_lost() from error
    if (collective.get_rank(), collective.get_world_size()) != (
        meeting.hosts.rank,
        meeting.hosts.count,
    ):
        raise PlatformError("XGBoost's tracker gave the hosts other ranks", hint="Try again")
