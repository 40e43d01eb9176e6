"""`make cloud-demo`: the whole solution on one's desk, reported as it happens."""
