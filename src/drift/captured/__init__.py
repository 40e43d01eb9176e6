"""Captured requests and plain tables, as rows that the model has scored."""
