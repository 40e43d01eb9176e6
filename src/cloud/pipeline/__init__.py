"""The SageMaker pipeline of the solution, as plain JSON."""
