"""What scripts import of SageMaker's former toolkit."""
