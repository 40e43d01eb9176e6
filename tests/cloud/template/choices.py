"""What a person can choose when he launches, and few launches that try each two choices together.

A choice is one value of an option. Two choices go together if some launch has both; which
launches there are, `works` says, and the templates' rules say so too (test_launches.py).
"""

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping

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
    "features": ("no", "yes", "athena"),
    "online": ("no", "yes"),
    "retrain": ("no", "yes"),
    "dashboard": ("no", "yes"),
    "domain": ("no", "zone", "certificate"),
    "account": ("no", "trail", "budget"),
    "facets": ("no", "yes"),
    "approval": ("by-hand", "automatic"),
    "instances": ("1", "2"),  # of two, one takes the requests first: a canary
    "email": ("no", "yes"),
    "keep": ("no", "yes"),
}

# Those that not all values of one another go with.
_BOUND = ("kind", "network", "key", "queue", "watch", "features", "online")

DEFAULT: Launch = {name: values[0] for name, values in OPTIONS.items()}


def works(launch: Launch) -> bool:
    """Return whether these choices go together."""
    return not (
        (launch["kind"] == "serverless" and launch["network"] != "none")
        or (launch["kind"] == "asynchronous" and "yes" in (launch["queue"], launch["watch"]))
        or (launch["key"] == "made" and launch["network"] != "made")
        or (launch["online"] == "yes" and launch["features"] == "no")
    )


def alone() -> Iterator[Launch]:
    """Yield the default launch, and each choice with as little beside it as it needs."""
    yield DEFAULT
    for name, values in OPTIONS.items():
        for value in values[1:]:
            yield min(_with({name: value}), key=_choices)


def pairs_of(launch: Launch) -> set[Pair]:
    """Return each two choices of a launch."""
    return {frozenset(pair) for pair in itertools.combinations(launch.items(), 2)}


def impossible_pairs() -> set[Pair]:
    """Return each two choices that no launch has."""
    return _all_pairs() - possible_pairs()


def possible_pairs() -> set[Pair]:
    """Return each two choices that some launch has."""
    return {pair for pair in _all_pairs() if next(_with(dict(pair)), None)}


def pairwise(before: Iterable[Launch] = ()) -> list[Launch]:
    """Return launches that with those before have each two choices that go together."""
    left = possible_pairs()
    for launch in before:
        left -= pairs_of(launch)
    chance = random.Random(0)  # the same launches each time
    chosen: list[Launch] = []
    while left:
        first = dict(min(map(sorted, left)))
        some = [_drawn(chance, first) for _ in range(40)]
        best = max(some, key=lambda launch: len(pairs_of(launch) & left))
        left -= pairs_of(best)
        chosen.append(best)
    return chosen


def _all_pairs() -> set[Pair]:
    values = [[(name, value) for value in values] for name, values in OPTIONS.items()]
    every = itertools.combinations(values, 2)
    return {frozenset(pair) for first, second in every for pair in itertools.product(first, second)}


def _with(fixed: Launch) -> Iterator[Launch]:
    """Yield launches that have what is fixed, and of the other options those that matter."""
    for chosen in itertools.product(*(_values(name, fixed) for name in _BOUND)):
        if works(launch := {**DEFAULT, **fixed, **dict(zip(_BOUND, chosen, strict=True))}):
            yield launch


def _values(name: str, fixed: Launch) -> tuple[str, ...]:
    return (fixed[name],) if name in fixed else OPTIONS[name]


def _choices(launch: Launch) -> int:
    return sum(launch[name] != value for name, value in DEFAULT.items())


def _drawn(chance: random.Random, fixed: Launch) -> Launch:
    """Return one of the launches that have what is fixed."""
    while True:
        launch = {name: chance.choice(_values(name, fixed)) for name in OPTIONS}
        if works(launch):
            return launch
