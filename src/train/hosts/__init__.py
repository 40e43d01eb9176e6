"""The hosts of one job: who they are, and what they tell each other."""
