"""A SageMaker on your desk: the example's data and the programs run on it."""
