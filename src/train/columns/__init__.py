"""What each column of the training table is: kind, label, role, feature."""
