"""The hosts of a job, and which of them this one is: by resourceconfig.json, or a GPU for each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagetree.errors import quote, quote_all


@dataclass(frozen=True)
class Hosts:
    """The names or addresses of a job's hosts, in order of rank; `current` is this one's.

    Processes of one machine, a GPU for each, are hosts too: `machine` is then the address at
    which they meet.
    """

    names: tuple[str, ...] = ("algo-1",)
    current: str = "algo-1"
    machine: str = ""

    @classmethod
    def of_gpus(cls, count: int, rank: int = 0) -> "Hosts":
        """Return this machine's processes, a GPU for each; this one is that of `rank`."""
        names = tuple(f"GPU {number}" for number in range(count))
        return cls(names, names[rank], "127.0.0.1")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    @property
    def rank(self) -> int:
        """The place of this one among all, from 0 on."""
        return self.names.index(self.current)

    @property
    def leader(self) -> str:
        """Where the first one is, which writes the model."""
        return self.machine or self.names[0]


def read_hosts(config: Mapping[str, Any], faults: list[str]) -> Hosts:
    """Return the hosts that resourceconfig.json names, one where it names none.

    They are sorted as a person would: algo-2 comes before algo-10, on every host.
    """
    names = config.get("hosts")
    if not isinstance(names, list) or len(names) < 2:
        return Hosts()
    found = [*_faults(names, config.get("current_host")), *_unlike(config)]
    faults += found
    if found:
        return Hosts()
    return Hosts(tuple(sorted(names, key=_natural)), config["current_host"])


def _faults(names: list[Any], current: object) -> list[str]:
    if not all(isinstance(name, str) and name.strip() for name in names):
        return [
            "hosts of resourceconfig.json holds something that is not a name or an address: write "
            "each as text"
        ]
    if len(set(names)) < len(names):
        doubles = sorted({name for name in names if names.count(name) > 1}, key=_natural)
        return [
            f"hosts of resourceconfig.json names {quote_all(doubles)} twice: name each host once"
        ]
    if current not in names:
        said = "is missing" if current is None else f"is {quote(current)}"
        return [
            f"current_host of resourceconfig.json {said}, and hosts are {quote_all(names, 5)}: "
            "name this host as hosts names it"
        ]
    return []


def _unlike(config: Mapping[str, Any]) -> list[str]:
    """Return the fault of a heterogeneous cluster: each round waits for the slowest machine."""
    groups = config.get("instance_groups")
    types = {
        str(group["instance_type"])
        for group in (groups if isinstance(groups, list) else ())
        if isinstance(group, dict) and group.get("instance_type")
    }
    if len(types) < 2:
        return []
    return [
        f"the hosts are of {len(types)} instance types ({', '.join(sorted(types))}), and each "
        "round waits for the slowest: use one instance type"
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
