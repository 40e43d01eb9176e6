"""The same preparation on Spark, for tables beyond one machine."""
