"""What a cell means, and the tables, schemas and labels made of cells."""
