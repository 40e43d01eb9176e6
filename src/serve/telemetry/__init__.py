"""What the server tells of itself: log lines, counts, metrics, drift."""
