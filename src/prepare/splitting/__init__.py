"""One table to train, validation and test: by key, row or time, and always the same."""
