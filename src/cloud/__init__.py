"""The solution on AWS: the pipeline's definition, the Lambda functions and a person's commands."""
