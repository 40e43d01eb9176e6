"""What the metrics mean: the threshold, the gate, and SageMaker's words for both."""
