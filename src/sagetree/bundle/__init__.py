"""The artifact: what training writes, and a model that is ready to score."""
