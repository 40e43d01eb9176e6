"""Data Wrangler's flows: their steps, with the fitted state they hold, as SQL on one table."""
