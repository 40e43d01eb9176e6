"""One's own files and models as arguments of a command: laid out as SageMaker's folders."""
