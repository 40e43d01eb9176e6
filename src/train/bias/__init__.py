"""Whom a job's model treats how, and what the remedy costs."""
