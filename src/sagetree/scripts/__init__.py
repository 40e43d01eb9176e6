"""A user's own script, for train and for serve: where it lies, what it needs, how it runs."""
