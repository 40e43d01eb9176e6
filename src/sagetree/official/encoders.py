"""Arrays to bodies and back, as SageMaker's inference toolkit does: `encoders`."""

from functools import partial

from sagemaker_inference.content_types import CSV, JSON, NPY
from sagemaker_inference.decoder import decode
from sagemaker_inference.encoder import encode

array_to_csv = partial(encode, content_type=CSV)
array_to_json = partial(encode, content_type=JSON)
array_to_npy = partial(encode, content_type=NPY)
csv_to_numpy = partial(decode, content_type=CSV)
json_to_numpy = partial(decode, content_type=JSON)
npy_to_numpy = partial(decode, content_type=NPY)

__all__ = [
    "array_to_csv",
    "array_to_json",
    "array_to_npy",
    "csv_to_numpy",
    "decode",
    "encode",
    "json_to_numpy",
    "npy_to_numpy",
]
