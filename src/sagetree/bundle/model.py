"""A model that is ready to score: the walk table -> check -> transform -> score."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.objectives import Objective, objective_of
from sagetree.boosters.scoring import Scorer, Scores
from sagetree.boosters.shap_method import ShapMethod
from sagetree.bundle.baseline import Baseline
from sagetree.bundle.bundle import (
    BASELINE_FILE,
    CALIBRATION_FILE,
    FEATURES_FILE,
    ModelBundle,
    SelfCheck,
)
from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.bundle.model_files import plain_models, readable_bytes
from sagetree.bundle.plain import plain_columns, unexplained_codes
from sagetree.decisions.decision import Decision, override
from sagetree.errors import ArtifactError, quote
from sagetree.features.pipeline import FeatureMatrix, FeaturePipeline
from sagetree.tables.label import Label
from sagetree.tables.roles import request_base_margin
from sagetree.tables.schema import Schema
from sagetree.tables.table import Cells, Source, Table

# Another machine's exp() may differ in the last bit of a float32 score.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Model:
    """A loaded model.

    `decision` is None for a model sagetree did not train, and for one whose
    scores are not the probability of a positive label; `baseline` is None where
    training's rows were not measured. `sha256` is of XGBoost's model, or models;
    `set_threshold` is what its server or a request sets in place of the decision's.
    """

    schema: Schema
    features: FeaturePipeline
    scorer: Scorer
    decision: Decision | None
    baseline: Baseline | None = None
    sha256: str = ""
    set_threshold: float | None = None

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        threads: int = 1,
        shap: ShapMethod = "sagetree",
        rounds: Rounds = "best",
        distrust: bool = False,
    ) -> "Model":
        """Load the bundle in `folder` and replay its self-check.

        A folder that holds only a model of XGBoost's own is loaded too; its
        columns are known by position, or by the names XGBoost stored, and `rounds`
        of it predict. With `distrust` its trees are checked as well, which takes a
        tenth of a second for 200; a bundle's files are known by their hashes.
        Raises ArtifactError if there is no model, or not one that can be trusted.
        """
        # A bundle that lost its manifest is damaged; its model is not to be taken by position.
        if not (folder / MANIFEST_FILE).parent.exists():
            paths = plain_models(folder)
            model = cls._load_plain(paths, threads, shap, rounds)
            if distrust:
                model.scorer.check_structure(paths[0].name)
            return model
        bundle = ModelBundle.load(folder)
        model = cls.of_bundle(bundle, threads=threads, shap=shap)
        difference = model.self_check(bundle.selfcheck)
        if not difference <= TOLERANCE:
            raise ArtifactError(
                f"its stored rows get different scores than in training (by {difference:.3g})",
                where=str(folder),
                hint=(
                    "Train again, or serve with the library versions named in "
                    "sagetree/manifest.json"
                ),
            )
        return model

    @classmethod
    def of_bundle(
        cls, bundle: ModelBundle, *, threads: int = 1, shap: ShapMethod = "sagetree"
    ) -> "Model":
        """Build the model from its data. Raises ArtifactError where the parts do not fit."""
        scorer = Scorer.load(
            *bundle.models, threads=threads, shap=shap, calibration=bundle.calibration
        )
        if scorer.feature_count != len(bundle.features.names):
            raise ArtifactError(
                f"it has {scorer.feature_count} features, and sagetree/features.json makes "
                f"{len(bundle.features.names)}",
                where=MODEL_FILE,
                hint="Train again",
            )
        if bundle.schema.input_names != tuple(f.column for f in bundle.features.features):
            raise ArtifactError(
                "its columns are not those of sagetree/schema.json",
                where=FEATURES_FILE,
                hint="Train again",
            )
        if bundle.calibration and not objective_of(scorer.objective).has_threshold:
            raise ArtifactError(
                f"it calibrates a probability, and the model's objective is {scorer.objective}",
                where=CALIBRATION_FILE,
                hint="Train again",
            )
        _check_baseline(bundle)
        parts = bundle.schema, bundle.features, scorer, bundle.decision, bundle.baseline
        return cls(*parts, _sha256(bundle.models))

    @classmethod
    def _load_plain(
        cls, paths: Sequence[Path], threads: int, shap: ShapMethod, rounds: Rounds
    ) -> "Model":
        models = [readable_bytes(path) for path in paths]
        name = paths[0].name
        scorer = Scorer.load(*models, threads=threads, shap=shap, name=name, rounds=rounds)
        schema, features = plain_columns(scorer)
        return cls(schema, features, scorer, None, None, _sha256(models))

    @property
    def objective(self) -> Objective:
        """What the model learnt, and what its scores are."""
        return objective_of(self.scorer.objective)

    @property
    def threshold(self) -> float | None:
        """The score from which a row is called positive; None where nobody has chosen one."""
        if self.set_threshold is not None:
            return self.set_threshold
        return self.decision.threshold if self.decision else None

    def deciding(self, text: str) -> "tuple[Model, str]":
        """Return the model that calls rows by a score or a rule, and why that does not hold.

        That is "" where it does. Raises ValueError, which says what is wrong, for a text that
        is neither, and for a model that calls no rows by a threshold.
        """
        if not self.objective.has_threshold:
            raise ValueError(f"a model of {self.objective.name} calls no row by a threshold")
        threshold, unreached = override(text, self.decision)
        return replace(self, set_threshold=threshold), unreached

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever asks a model of somebody's should know, in a clause each."""
        found = []
        used, stored = sum(self.scorer.rounds), sum(self.scorer.stored_rounds)
        if used < stored:
            found.append(
                f"{used} of its {stored} rounds predict, up to the best one of its early stopping "
                "(SAGETREE_ROUNDS=all takes all)"
            )
        codes = unexplained_codes(self.scorer) if self.scorer.stored_rounds else ()
        if codes:
            found.append(
                "the file does not say which categories its codes stand for, so cells must be "
                f"codes: columns {', '.join(map(quote, codes))}"
            )
        return tuple(found)

    @property
    def probability(self) -> str | None:
        """What a score is the probability of; None where it is none, or no label is known."""
        label = self.schema.label
        if self.objective.score == "probability" and isinstance(label, Label):
            return label.probability
        return None

    def matrix(self, table: Table) -> FeatureMatrix:
        """Return the features of a table. Raises SchemaError where it does not fit."""
        return self.features.transform(self.schema.arrange(table))

    def base_margin(self, table: Table) -> Scores | None:
        """Return where the rows of a table that fits start, (n) or (n, k); None: they do not say.

        Raises SchemaError for a cell that is not a number.
        """
        if not self.schema.base_margins:
            return None
        return request_base_margin(table, self.schema, self.features.missing)

    def score(self, table: Table) -> Scores:
        """Return the scores of the rows, (n) or (n, k); `objective` says what they are."""
        return self.scorer.score(self.matrix(table).values, self.base_margin(table))

    def self_check(self, check: SelfCheck) -> float:
        """Return the largest difference between the stored rows' scores then and now."""
        columns: list[Cells] = [list(cells) for cells in zip(*check.rows, strict=True)]
        rows = len(check.rows)
        table = Table(check.columns, tuple(columns), rows, True, (Source(rows),))
        expected = np.asarray(check.scores, np.float32)
        return float(np.max(np.abs(self.score(table) - expected), initial=0.0))


def _sha256(models: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(models)).hexdigest()


def _check_baseline(bundle: ModelBundle) -> None:
    if bundle.baseline is None:
        return
    found = len(bundle.baseline.features), len(bundle.baseline.scores)
    needed = len(bundle.features.names), np.asarray(bundle.selfcheck.scores[:1]).size
    if found != needed:
        raise ArtifactError(
            "it has {} features and {} outputs where the model has {} and {}".format(
                *found, *needed
            ),
            where=BASELINE_FILE,
            hint="Train again",
        )
