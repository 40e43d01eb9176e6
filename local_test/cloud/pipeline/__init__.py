"""SageMaker Pipelines on one machine: a stored definition, step by step, with real containers."""
