"""How bundles of earlier formats are read: brought to the present format, step by step.

To change what a bundle holds in a way that older readers would misunderstand, or that
older bundles do not have:

1. Write a module `old/format_N.py`, N being the present format, with one function that
   turns the JSON documents of format N into those of N + 1 and keeps their meaning.
2. Append it to `UPGRADES`. That alone raises `FORMAT`.
3. Run `python -m tests.bundles.make`, and commit the bundles it writes beside the older
   ones, which are never made again.

A field with a default that means what its absence meant before needs no new format.
"""

from collections.abc import Callable, Mapping

Documents = Mapping[str, object]  # by the name of the file, as JSON has them
Upgrade = Callable[[Documents], Documents]

# UPGRADES[0] makes format 2 of format 1, and so on.
UPGRADES: tuple[Upgrade, ...] = ()

FORMAT = 1 + len(UPGRADES)


def upgraded(
    documents: Documents, number: int, upgrades: tuple[Upgrade, ...] = UPGRADES
) -> Documents:
    """Return the documents of a bundle of format `number` as those of the present format."""
    for upgrade in upgrades[number - 1 :]:
        documents = upgrade(documents)
    return documents
