"""What a person can choose when he launches, and few launches that try each two choices together.

A choice is one value of an option. Two choices go together if some launch has both; which
launches there are, `works` says, and the templates' rules say so too (test_launches.py).
"""

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

Launch = Mapping[str, str]
Pair = frozenset[tuple[str, str]]

# Each option with its values, the default first.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "kind": ("serverless", "instance", "asynchronous", "lambda"),
    "network": ("none", "made", "existing"),
    "key": ("none", "given", "made"),
    "authorization": ("AWS_IAM", "JWT"),
    "queue": ("no", "yes"),
    "watch": ("no", "yes"),
    "features": ("no", "yes"),
    "retrain": ("no", "yes"),
    "dashboard": ("no", "yes"),
    "domain": ("no", "zone", "certificate"),
    "account": ("no", "trail", "budget"),
}

DEFAULT: Launch = {name: values[0] for name, values in OPTIONS.items()}


def works(launch: Launch) -> bool:
    """Return whether these choices go together."""
    return not (
        (launch["kind"] == "serverless" and launch["network"] != "none")
        or (launch["kind"] == "asynchronous" and "yes" in (launch["queue"], launch["watch"]))
        or (launch["key"] == "made" and launch["network"] != "made")
    )


def alone() -> Iterator[Launch]:
    """Yield the default launch, and each choice with as little beside it as it needs."""
    yield DEFAULT
    for name, values in OPTIONS.items():
        for value in values[1:]:
            needed = {"kind": "instance"} if name == "network" else {}
            if (name, value) == ("key", "made"):
                needed = {"kind": "instance", "network": "made"}
            yield {**DEFAULT, **needed, name: value}


def pairs_of(launch: Launch) -> set[Pair]:
    """Return each two choices of a launch."""
    return {frozenset(pair) for pair in itertools.combinations(launch.items(), 2)}


def impossible_pairs() -> set[Pair]:
    """Return each two choices that no launch has."""
    return _every_pair() - possible_pairs()


def _every_pair() -> set[Pair]:
    values = {name: [(name, value) for value in values] for name, values in OPTIONS.items()}
    every = itertools.combinations(values.values(), 2)
    return {frozenset(pair) for first, second in every for pair in itertools.product(first, second)}


def possible_pairs() -> set[Pair]:
    """Return each two choices that some launch has."""
    return {pair for pair in _every_pair() if any(map(works, _launches(dict(pair))))}


def pairwise(before: Iterable[Launch] = ()) -> list[Launch]:
    """Return launches that with those before have each two choices that go together."""
    left = possible_pairs()
    for launch in before:
        left -= pairs_of(launch)
    everything = list(filter(works, _launches()))
    chance = random.Random(0)  # the same launches each time
    chosen: list[Launch] = []
    while left:
        some = chance.sample(everything, 400)
        first = next(iter(sorted(map(sorted, left))))
        some += [launch for launch in everything if set(first) <= launch.items()][:1]
        best = max(some, key=lambda launch: len(pairs_of(launch) & left))
        left -= pairs_of(best)
        chosen.append(best)
    return chosen


def _launches(given: Launch = MappingProxyType({})) -> Iterator[Launch]:
    """Yield each launch with these choices, whether they go together or not."""
    options = {name: (given[name],) if name in given else OPTIONS[name] for name in OPTIONS}
    for values in itertools.product(*options.values()):
        yield dict(zip(options, values, strict=True))
