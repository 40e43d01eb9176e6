"""The page about drift, in the style of an evaluation's report."""
