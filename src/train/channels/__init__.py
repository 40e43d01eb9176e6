"""The channels of a job to tables."""
