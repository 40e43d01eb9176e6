"""Scores of held-out rows to what makes them probabilities."""
