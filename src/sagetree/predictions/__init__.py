"""What is said of rows: their scores, labels, contributions, reasons and identifiers."""
