"""The Lambda functions; `sagetree function NAME` answers events with the one of that name."""
