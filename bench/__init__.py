"""Benchmarks: each prints ratios or scores measured in one run against a named rival."""
