"""Raw tables in, train / validation / test out: a SageMaker processing job."""
