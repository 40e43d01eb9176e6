"""How good the defaults are: sagetree and its peers on tables, in pairs on the same folds."""
