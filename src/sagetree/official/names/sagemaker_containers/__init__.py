"""What scripts import of SageMaker's former toolkit; made in sagetree.official."""

import sys

from sagemaker_inference import content_types as _content_types
from sagemaker_inference import errors as _errors

from sagetree.official.lacking import LackingFinder
from sagetree.official.training import training_env

__all__ = ["_content_types", "_errors", "training_env"]

sys.meta_path.append(LackingFinder(__name__))
