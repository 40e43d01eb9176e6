"""A folder of data files to one table."""
