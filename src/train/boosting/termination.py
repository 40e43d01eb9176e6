"""What SIGTERM means to a training job, by how far the job is.

SageMaker sends it when someone stops the job, when its time is up, and when a
spot instance is taken away, and kills the job 120 s later. Until a round is made
there is no model to leave: the job ends at once. From then on the signal is only
noted, and looked at after each round: the best model so far becomes the job's model.
"""

import signal
from types import FrameType
from typing import Self

from sagetree.machine.program import LOG, Terminated
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.plan import RunOptions


class Termination:
    """Whether the job was told to end."""

    def __init__(self, *, saves: bool) -> None:
        """Take whether a model is to be left: `save_model_on_termination`."""
        self.saves = saves
        self.has_begun = False
        self.is_requested = False

    def install(self) -> Self:
        """Handle SIGTERM from now on; before the first round it ends the job."""
        signal.signal(signal.SIGTERM, self._arrived)
        return self

    def begin(self, checkpoints: Checkpoints | None, initial_model: bytes | None) -> RunOptions:
        """Return what boosting is given: from here on the signal waits for the end of a round.

        The rounds of `initial_model` come before all others.
        """
        self.has_begun = True
        return RunOptions(
            initial_model=initial_model,
            checkpoints=checkpoints.phase if checkpoints else lambda _phase, _boosters: None,
            is_stopped=lambda: self.is_requested,
            check_stopped=self.check,
        )

    def check(self, rounds: int) -> None:
        """Tell of a training that was stopped. Raises Terminated if there is nothing to leave."""
        if not rounds:
            raise Terminated(
                "The job was stopped by SIGTERM before its first round: no model is left"
            )
        if not self.saves:
            raise Terminated(
                f"The job was stopped by SIGTERM after {rounds} rounds; no model is left, "
                "as save_model_on_termination=false demands"
            )
        LOG.warning("SIGTERM after %d rounds: the best of them are the model", rounds)

    def _arrived(self, _signal: int, _frame: FrameType | None) -> None:
        if not self.has_begun:
            raise Terminated(
                "The job was stopped by SIGTERM while it read its data, before the first round: "
                "no model is left"
            )
        self.is_requested = True  # and nothing else: the log may just be written
