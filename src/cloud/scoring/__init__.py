"""Claims in, scores out: what the function `score` is made of."""
