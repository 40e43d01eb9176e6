"""`make cloud-demo`: the whole solution on one's desk, told as it happens."""
