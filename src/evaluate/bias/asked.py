"""What is asked of facets: by a file, by options, or by the hyperparameters of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagetree.errors import SettingsError
from sagetree.tables.facets import ALLOWED_FACETS, Facet, parse_facets

FACETS, FAVOURABLE = "facets", "favourable"

# What is written of them.
BIAS_FILE = "bias_analysis.json"


@dataclass(frozen=True)
class FacetRequest:
    """The facets to measure, and the label's value that is good for a person.

    That is None for the negative one of two; `setting` is where it is named. Facets that
    somebody gave for these very rows are `strict`: one without rows is an error.
    """

    facets: tuple[Facet, ...]
    favourable: str | None = None
    setting: str = FAVOURABLE
    strict: bool = True

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are needed."""
        return frozenset(name for facet in self.facets for name in facet.named)


def read_facets(path: Path) -> tuple[Facet, ...]:
    """Return the facets that a file lists. Raises as `facets_text` does."""
    return parse_facets(facets_text(path))


def facets_text(path: Path) -> str:
    """Return the text of a file that lists facets, which may be a pipe and is read once.

    Raises SettingsError for one that cannot be read, or is not such a list.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"it cannot be read: {error.strerror or error}",
            where=f"--{FACETS} {path}",
            hint="Name a JSON file",
        ) from error
    try:
        parse_facets(content)
        return content.decode()
    except ValueError as error:
        raise SettingsError(
            str(error), where=f"--{FACETS} {path}", hint=f"Write {ALLOWED_FACETS}"
        ) from error


def asked_of_model(
    given: tuple[Facet, ...] | None, favourable: str | None, hyperparameters: Mapping[str, str]
) -> FacetRequest | None:
    """Return what options ask, else what the model was trained with; None where nobody asks.

    Raises SettingsError for a favourable label without facets.
    """
    facets = given
    if facets is None:
        facets = _of_training(hyperparameters.get(FACETS, "[]"))
    if not facets:
        if favourable is None:
            return None
        raise SettingsError(
            "it names the label that is good for a person, and there are no facets to compare",
            where=f"--{FAVOURABLE}",
            hint=f"Add --{FACETS} FILE, or leave it out",
        )
    setting = f"--{FAVOURABLE}"
    trained = hyperparameters.get(FAVOURABLE)
    return FacetRequest(facets, favourable or trained, setting, strict=given is not None)


def _of_training(text: str) -> tuple[Facet, ...]:
    try:
        return parse_facets(text)
    except ValueError as error:
        raise SettingsError(
            str(error),
            where=f"the model's hyperparameter {FACETS}",
            hint=f"Name others by --{FACETS} FILE",
        ) from error
