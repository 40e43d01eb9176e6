"""What RegisterModel takes of an evaluation as ModelMetrics: statistics, constraints, reasons."""
