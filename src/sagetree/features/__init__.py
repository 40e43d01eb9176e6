"""Feature transforms: one kind of column per file, fitted state as data."""
