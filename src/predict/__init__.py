"""Files to scores, without a server."""
