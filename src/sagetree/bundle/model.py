"""A model that is ready to score: the walk table -> check -> transform -> score."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sagetree.boosters.objectives import Objective, objective_of
from sagetree.boosters.scoring import Scorer, Scores
from sagetree.boosters.shap_method import ShapMethod
from sagetree.bundle.baseline import Baseline
from sagetree.bundle.bundle import (
    BASELINE_FILE,
    FEATURES_FILE,
    Decision,
    ModelBundle,
    SelfCheck,
)
from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.errors import ArtifactError
from sagetree.features.number import Number
from sagetree.features.pipeline import FeatureMatrix, FeaturePipeline
from sagetree.tables.label import Label
from sagetree.tables.roles import request_base_margin
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Cells, Source, Table

# Another machine's exp() may differ in the last bit of a float32 score.
TOLERANCE = 1e-6

_PICKLE_HINT = (
    "A pickle is a program, so it is not opened: convert it where you trust it, with "
    "pickle.load(file).save_model('model.ubj'), and put model.ubj into the artifact"
)
_MODEL_SUFFIXES = (".ubj", ".json", ".model")
_MEMBER = re.compile(rf"{MODEL_FILE}-\d+")
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib")


@dataclass(frozen=True)
class Model:
    """A loaded model.

    `decision` is None for a model sagetree did not train, and for one whose
    scores are not the probability of a positive label; `baseline` is None where
    training's rows were not measured. `sha256` is of XGBoost's model, or models.
    """

    schema: Schema
    features: FeaturePipeline
    scorer: Scorer
    decision: Decision | None
    baseline: Baseline | None = None
    sha256: str = ""

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1, shap: ShapMethod = "sagetree") -> "Model":
        """Load the bundle in `folder` and replay its self-check.

        A folder that holds only a model of XGBoost's own is loaded too; its
        columns are known by position, or by the names XGBoost stored. Raises
        ArtifactError if there is no model, or not one that can be trusted.
        """
        # A bundle that lost its manifest is damaged; its model is not to be taken by position.
        if not (folder / MANIFEST_FILE).parent.exists():
            return cls._load_plain(plain_models(folder), threads, shap)
        bundle = ModelBundle.load(folder)
        model = cls.of_bundle(bundle, threads=threads, shap=shap)
        difference = model.self_check(bundle.selfcheck)
        if not difference <= TOLERANCE:
            raise ArtifactError(
                f"its stored rows get other scores than in training (by {difference:.3g})",
                where=str(folder),
                hint="Train again, or serve with the versions in sagetree/manifest.json",
            )
        return model

    @classmethod
    def of_bundle(
        cls, bundle: ModelBundle, *, threads: int = 1, shap: ShapMethod = "sagetree"
    ) -> "Model":
        """Build the model from its data. Raises ArtifactError where the parts do not fit."""
        scorer = Scorer.load(*bundle.models, threads=threads, shap=shap)
        if scorer.feature_count != len(bundle.features.names):
            raise ArtifactError(
                f"it has {scorer.feature_count} features where sagetree/features.json makes "
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
        _check_baseline(bundle)
        parts = bundle.schema, bundle.features, scorer, bundle.decision, bundle.baseline
        return cls(*parts, _sha256(bundle.models))

    @classmethod
    def _load_plain(cls, paths: Sequence[Path], threads: int, shap: ShapMethod) -> "Model":
        models = [path.read_bytes() for path in paths]
        for path, data in zip(paths, models, strict=True):
            # the first byte of every pickle protocol since 2
            if data.startswith(b"\x80") or path.suffix in _PICKLE_SUFFIXES:
                raise ArtifactError("the model is a pickle", where=path.name, hint=_PICKLE_HINT)
        scorer = Scorer.load(*models, threads=threads, shap=shap, name=paths[0].name)
        stored = scorer.feature_names
        names = stored or [f"f{index}" for index in range(scorer.feature_count)]
        columns = tuple(Column(name=name, kind="number", missing=0, distinct=0) for name in names)
        features = FeaturePipeline(
            missing_values=(),
            unknown_category="missing",
            features=tuple(Number(column=name) for name in names),
        )
        schema = Schema(columns=columns, label=None, named=bool(stored))
        return cls(schema, features, scorer, None, None, _sha256(models))

    @property
    def objective(self) -> Objective:
        """What the model learnt, and what its scores are."""
        return objective_of(self.scorer.objective)

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


def plain_models(folder: Path) -> list[Path]:
    """Return the one file in `folder` that is a model of XGBoost's own, or those of an ensemble.

    An ensemble is what the official container saves of a cross-validation:
    xgboost-model-0, xgboost-model-1, ...
    """
    if (folder / MODEL_FILE).is_file():
        return [folder / MODEL_FILE]
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    visible = [path for path in files if path.is_file() and not path.name.startswith(".")]
    ensemble = [path for path in visible if _MEMBER.fullmatch(path.name)]
    if ensemble:
        return sorted(ensemble, key=lambda path: int(path.name.rpartition("-")[2]))
    found = [path for path in visible if path.suffix in _MODEL_SUFFIXES] or [
        path for path in visible if path.suffix in _PICKLE_SUFFIXES
    ]
    if len(found) == 1:
        return found
    names = ", ".join(path.name for path in found)
    reason = f"there are several models: {names}" if found else "there is no model"
    hint = "Put one xgboost-model, *.ubj or *.json there, or the output of sagetree train"
    raise ArtifactError(reason, where=str(folder), hint=hint)
