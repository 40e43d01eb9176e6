"""Two models on the same labelled rows: which one is better, and whether that is shown."""
