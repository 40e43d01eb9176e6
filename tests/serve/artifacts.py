"""Real small models, and the application on them, in this process."""

from functools import partial
from pathlib import Path

import numpy as np
import xgboost
from werkzeug.test import Client

from sagetree.bundle.bundle import ModelBundle, SelfCheck
from sagetree.decisions.decision import Decision
from sagetree.features.category import Category, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.machine.program import LOG
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.routes.one_model import one_model
from sagetree.serve.routes.site import Site
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import LINE_FORMATS
from sagetree.serve.telemetry.metrics import Observer
from sagetree.tables.label import Label
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Source, Table
from tests.serve.asking import client_of
from tests.serve.rows import CATEGORIES, NAMES, SIZES, is_fraud, records

INPUTS = NAMES[:-1]
THRESHOLD = 0.25

SCHEMA = Schema(
    columns=(
        Column(name="num_claims", kind="number", missing=30, distinct=150),
        Column(name="a<b", kind="category", missing=30, distinct=4, categories=CATEGORIES),
        Column(name="x,y", kind="boolean", missing=30, distinct=2),
        Column(name="début [UTC]", kind="datetime", missing=30, distinct=280),
        Column(name="größe", kind="ordinal", missing=30, distinct=3, categories=SIZES),
        Column(name="policy_id", kind="identifier", missing=0, distinct=300),
    ),
    label=Label(name="fraud", negative="no", positive="yes"),
    named=True,
)

FEATURES = FeaturePipeline(
    missing_values=("?",),
    unknown_category="missing",
    features=(
        Number(column="num_claims"),
        Category(column="a<b", categories=CATEGORIES),
        Boolean(column="x,y"),
        Moment(column="début [UTC]"),
        Ordinal(column="größe", categories=SIZES),
    ),
)


def make_bundle(seed: int, *, rounds: int = 12) -> ModelBundle:
    """Train a bundle on 300 generated rows."""
    rows = records(300, seed)
    cells = tuple([row[name] for row in rows] for name in INPUTS)
    table = Table(INPUTS, cells, len(rows), True, (Source(len(rows)),))
    matrix = FEATURES.transform(table).values
    data = xgboost.DMatrix(
        matrix,
        np.array([is_fraud(row) for row in rows], np.float32),
        feature_names=list(FEATURES.safe_names),
        feature_types=list(FEATURES.types),
        enable_categorical=True,
    )
    params = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1}
    booster = xgboost.train(params, data, rounds)
    shown = rows[:8]
    return ModelBundle(
        models=(bytes(booster.save_raw("ubj")),),
        schema=SCHEMA,
        features=FEATURES,
        decision=Decision(threshold=THRESHOLD, chosen="by hand", precision=0.8, recall=0.8, f1=0.8),
        selfcheck=SelfCheck(
            columns=INPUTS,
            rows=tuple(tuple(row[name] for name in INPUTS) for row in shown),
            scores=tuple(booster.inplace_predict(matrix[:8]).tolist()),
        ),
        hyperparameters={},
        data={},
        metrics={},
    )


def settings_for(folder: Path, **environ: str) -> ServeSettings:
    """Settings of a server on the model in `folder`."""
    variables = {"SAGEMAKER_BASE_DIR": str(folder.parent), "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    return ServeSettings.read(variables | environ, host="127.0.0.1", port=None, reload=False)


def holder_for(folder: Path, settings: ServeSettings) -> ModelHolder[ServedModel]:
    """A holder that loads the model in `folder`."""
    load = partial(
        ServedModel.load,
        folder,
        threads=1,
        output=settings.output,
        decision=settings.decision,
        shap=settings.shap,
    )
    holder = ModelHolder(folder, load)
    holder.start(watch=False)
    return holder


def client_for(folder: Path, **environ: str) -> Client:
    """A client of the application on the model in `folder`, in this process."""
    settings = settings_for(folder, **environ)
    return client_of(site_of(settings, holder_for(folder, settings)))


def site_of(settings: ServeSettings, holder: ModelHolder) -> Site:
    """What a worker serves; its lines go to the log."""
    observer = Observer(None, LINE_FORMATS[settings.log_format], LOG.info)
    return one_model(settings, holder, observer)
