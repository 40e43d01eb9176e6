"""A model and held-out rows in, evaluation.json and a verdict out: a processing job."""
