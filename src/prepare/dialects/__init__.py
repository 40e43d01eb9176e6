"""The same SQL on other engines: what of it they understand alike, and how each writes it."""
