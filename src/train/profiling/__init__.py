"""What is in a table before anything is learnt from it, as facts and as one page."""
