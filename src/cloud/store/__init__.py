"""Feature Store: a table's rows as records of a feature group, and the group itself."""
