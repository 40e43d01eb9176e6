"""Whom labels and predictions favour: Clarify's bias metrics of facets, and weights against it."""
