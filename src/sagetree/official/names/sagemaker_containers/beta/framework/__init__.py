"""What scripts import of SageMaker's former toolkit, by the names that samples import."""

from sagemaker_inference import content_types, errors

from sagetree.official import encoders, worker
from sagetree.official.lacking import Lacking, lacking
from sagetree.official.training import training_env

from ... import entry_point

# Samples import these and do not use them.
env = Lacking(f"{__name__}.env")
functions = Lacking(f"{__name__}.functions")
mapping = Lacking(f"{__name__}.mapping")
modules = Lacking(f"{__name__}.modules")
params = Lacking(f"{__name__}.params")
process = Lacking(f"{__name__}.process")
runner = Lacking(f"{__name__}.runner")
server = Lacking(f"{__name__}.server")
trainer = Lacking(f"{__name__}.trainer")
transformer = Lacking(f"{__name__}.transformer")

__all__ = ["content_types", "encoders", "entry_point", "errors", "training_env", "worker"]

__getattr__ = lacking(__name__)
