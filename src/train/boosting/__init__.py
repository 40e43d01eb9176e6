"""Examples to boosters: rounds, folds, checkpoints and stops."""
