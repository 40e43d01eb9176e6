"""Servers a team might write for the same model; each is started as a process of its own."""
