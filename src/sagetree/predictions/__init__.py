"""What is said about rows: their scores, labels, contributions, reasons and identifiers."""
