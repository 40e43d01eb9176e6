"""Claims that wait to be scored, and the alert of one that scores high."""
