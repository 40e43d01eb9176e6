"""Numbers to learn from: matrices, and the rows that are kept or suspected."""
