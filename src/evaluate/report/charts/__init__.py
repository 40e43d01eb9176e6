"""The charts of a report, each with its words and the numbers behind it."""
