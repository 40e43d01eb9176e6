"""How good the scores of labelled rows are, task by task, with intervals."""
