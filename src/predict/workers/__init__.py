"""Several processes that score files at once."""
