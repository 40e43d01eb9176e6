"""The files by which a model's folder is known: names alone, so that naming them loads nothing."""

MODEL_FILE = "xgboost-model"
MANIFEST_FILE = "sagetree/manifest.json"
