"""One hyperparameter: its name, type, range, default and one line of help."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sagetree.train.hyperparameters.value_types import Integer, Real, SageMakerType, Value


class ValueType(Protocol):
    """What a hyperparameter's text may be."""

    @property
    def allowed(self) -> str:
        """What it takes, in words."""

    @property
    def sagemaker(self) -> SageMakerType:
        """SageMaker's word for the type."""

    def parse(self, text: str) -> Value:
        """Return the value of `text`. Raises ParameterError."""

    def range(self) -> Mapping[str, object] | None:
        """Return SageMaker's ParameterRange, None if there is none."""


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter `train` knows.

    `default` is what holds where it is not given, as the user would write it
    ("" where that depends, `help` says on what). `tuned` is the range worth
    searching, None where searching makes no sense. `xgboost` marks those that
    are handed on to XGBoost.
    """

    name: str
    type: ValueType
    help: str
    default: str = ""
    aliases: tuple[str, ...] = ()
    tuned: Integer | Real | None = None
    xgboost: bool = False

    @property
    def described(self) -> str:
        """The help with the default."""
        return f"{self.help}; default: {self.default}" if self.default else self.help

    def parse(self, text: str) -> Value:
        """Return the value of `text`. Raises ParameterError."""
        return self.type.parse(text)

    def is_default(self, value: Value) -> bool:
        """Say whether `value` is what holds anyway."""
        return bool(self.default) and bool(value == self.type.parse(self.default))
