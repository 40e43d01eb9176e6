"""Every hyperparameter, and what goes together."""
