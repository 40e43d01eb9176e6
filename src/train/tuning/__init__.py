"""Search of hyperparameters inside one job, judged by rows that chose nothing."""
