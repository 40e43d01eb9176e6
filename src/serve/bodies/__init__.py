"""The bytes of a request to a table."""
