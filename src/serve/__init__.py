"""The serving program: HTTP bytes in, scores out."""
