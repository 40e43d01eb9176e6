"""What stores add to tables: metadata, folders called key=value, columns of their own."""
