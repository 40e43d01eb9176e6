"""What a command with files as arguments says at its end: what lies where, and what comes next."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

Step = tuple[str, Sequence[str | Path]]


def next_steps(results: Mapping[str, Path], *steps: Step) -> str:
    """Return the results and the commands as lines; a step is what it does and the command.

    >>> print(next_steps({"model": Path("o/model")}, ("serve it", ["sagetree", "serve", "my o"])))
    <BLANKLINE>
    model  o/model
    To serve it:  sagetree serve 'my o'
    """
    width = max(map(len, results), default=0)
    lines = ["", *(f"{name:<{width}}  {path}" for name, path in results.items())]
    lines += [f"To {does}:  {shlex.join(map(str, command))}" for does, command in steps]
    return "\n".join(lines)
