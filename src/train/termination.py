"""What SIGTERM means to a training job, by how far the job is.

SageMaker sends it when someone stops the job, when its time is up, and when a
spot instance is taken away, and kills the job 120 s later. Until a round is made
there is no model to leave: the job ends at once. From then on the signal is only noted, and checked
after each round: the best model so far becomes the job's model. Of several hosts, all stop after
the round in which the signal came to any.
"""

import signal
from types import FrameType
from typing import Self

from sagetree.machine.program import LOG, Terminated
from sagetree.train.boosting.checkpoints import Checkpoints, LeadersCheckpoints
from sagetree.train.boosting.plan import RunOptions
from sagetree.train.boosting.rounds import CheckpointStore
from sagetree.train.hosts.group import ONE, Group


class Termination:
    """Whether the job was asked to end."""

    def __init__(self, *, saves: bool) -> None:
        """Take whether a model is to be left: `save_model_on_termination`."""
        self.saves = saves
        self.has_begun = False
        self.is_requested = False

    def install(self) -> Self:
        """Handle SIGTERM from now on; before the first round it ends the job."""
        signal.signal(signal.SIGTERM, self._arrived)
        return self

    def begin(
        self, checkpoints: Checkpoints | None, initial_model: bytes | None, group: Group = ONE
    ) -> RunOptions:
        """Return what boosting is given: from here on the signal waits for the end of a round.

        The rounds of `initial_model` come before all others. Of a `group` the leader's
        `checkpoints` count.
        """
        has_any = group.gather(checkpoints is not None)[0]
        self.has_begun = True

        def phase(name: str, boosters: int) -> CheckpointStore | None:
            if not has_any:
                return None
            own = checkpoints.phase(name, boosters) if checkpoints else None
            return own if group.size == 1 else LeadersCheckpoints(group, own)

        return RunOptions(
            initial_model=initial_model,
            checkpoints=phase,
            is_stopped=lambda: self._is_requested_of(group),
            check_stopped=self.check,
            group=group,
        )

    def _is_requested_of(self, group: Group) -> bool:
        """Say whether any host of a group was asked to end: then all of them are."""
        is_agreed = group.any(self.is_requested)
        self.is_requested = self.is_requested or is_agreed
        return is_agreed

    def check(self, rounds: int) -> None:
        """Tell of a training that was stopped. Raises Terminated if there is nothing to leave."""
        if not rounds:
            raise Terminated(
                "The job was stopped by SIGTERM before its first round: no model is left"
            )
        if not self.saves:
            raise Terminated(
                f"The job was stopped by SIGTERM after {rounds} rounds; no model is left, "
                "because save_model_on_termination=false"
            )
        LOG.warning("SIGTERM after %d rounds: the best of them are the model", rounds)

    def _arrived(self, _signal: int, _frame: FrameType | None) -> None:
        if not self.has_begun:
            raise Terminated(
                "The job was stopped by SIGTERM while it read its data, before the first round: "
                "no model is left"
            )
        self.is_requested = True  # and nothing else: the log may just be written
