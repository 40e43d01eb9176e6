"""Scores of rows left out to what makes them probabilities."""
