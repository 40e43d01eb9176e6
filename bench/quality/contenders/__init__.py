"""A module for each contender: `scores(table, fold)` fits on a fold's other rows, scores its own.

All but sagetree run in an environment of their own and import nothing of sagetree.
"""
