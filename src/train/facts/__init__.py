"""What the cells of columns say, on one host or on all hosts of a job together."""
