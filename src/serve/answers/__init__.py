"""Scores to the bytes of an answer."""
