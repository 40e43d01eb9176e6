"""What holds where a user's script leaves a function out: as in the official XGBoost container.

model_fn gives an xgboost.Booster, input_fn a DMatrix of CSV, libsvm or
recordio-protobuf, predict_fn the booster's predictions, output_fn the toolkit's
CSV, JSON or NPY.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sagemaker_inference import content_types, encoder
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from scipy.sparse import csr_matrix
from werkzeug.http import parse_options_header

from sagetree.boosters.best_rounds import best_part
from sagetree.bundle.bundle import MANIFEST_FILE
from sagetree.bundle.plain import plain_models, readable_bytes
from sagetree.errors import (
    ArtifactError,
    DecodingError,
    NotAcceptableError,
    UnsupportedMediaTypeError,
    quote,
)
from sagetree.formats.csv_text import parse_csv
from sagetree.formats.first_row import CsvError
from sagetree.formats.libsvm import parse_libsvm
from sagetree.formats.media_types import CSV, JSON, LIBSVM, NPY, RECORDIO
from sagetree.formats.recordio import parse_recordio
from sagetree.formats.sparse_rows import RecordError, SparseRows
from sagetree.tables.cells import MissingValues
from sagetree.tables.encoding import encode_numbers

if TYPE_CHECKING:
    import xgboost

OUTPUT_TYPES = (CSV, JSON, NPY)


class Defaults(DefaultInferenceHandler):  # type: ignore[misc]
    """The functions a script need not have; `context` is the toolkit's."""

    def default_model_fn(self, model_dir: str, context: object = None) -> "xgboost.Booster":  # noqa: ARG002
        """Return the booster of XGBoost's own in the folder, up to its best round if it has one.

        Raises ArtifactError for a bundle, whose booster needs the features that
        the bundle makes of a request's columns.
        """
        import xgboost

        if (Path(model_dir) / MANIFEST_FILE).parent.exists():
            raise ArtifactError(
                "a model of sagetree needs a model_fn in the script",
                where=model_dir,
                hint="Write def model_fn(folder): "
                "return sagetree.bundle.model.Model.load(Path(folder))",
            )
        (path,) = plain_models(Path(model_dir))
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(readable_bytes(path)))
        return best_part(booster)

    def default_input_fn(
        self,
        input_data: bytes | str,
        content_type: str,
        context: object = None,  # noqa: ARG002 - the toolkit's signature
    ) -> "xgboost.DMatrix":
        """Return the rows of a body. Raises UnsupportedMediaTypeError and DecodingError."""
        import xgboost

        decode = _DECODERS.get(content_type)
        if decode is None:
            raise UnsupportedMediaTypeError(
                f"{quote(content_type)} is not read here",
                where="Content-Type",
                hint=f"Send one of {', '.join(_DECODERS)}, or write an input_fn",
            )
        body = input_data.encode() if isinstance(input_data, str) else input_data
        return xgboost.DMatrix(decode(body), nthread=1)

    def default_predict_fn(self, data: Any, model: Any, context: object = None) -> Any:  # noqa: ANN401, ARG002
        """Return the model's predictions."""
        return model.predict(data, validate_features=False)

    def default_output_fn(
        self,
        prediction: Any,  # noqa: ANN401 - whatever predict_fn returns
        accept: str,
        context: object = None,  # noqa: ARG002
    ) -> tuple[bytes | str, str]:
        """Return the answer and its type. Raises NotAcceptableError."""
        asked = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
        for name in asked:
            if name in OUTPUT_TYPES:
                return encoder.encode(prediction, name), name
        if content_types.ANY in asked:
            return encoder.encode(prediction, JSON), JSON
        raise NotAcceptableError(
            f"the answer cannot be {quote(accept)}",
            where="Accept",
            hint=f"Accept one of {', '.join(OUTPUT_TYPES)}, or write an output_fn",
        )


def media_type(header: str) -> str:
    """Return a content type as a script compares it: in lower case, without charset=utf-8.

    >>> media_type("Text/CSV; charset=UTF-8"), media_type("text/csv; header=present")
    ('text/csv', 'text/csv; header=present')
    """
    name, parameters = parse_options_header(header)
    plain = {key: value.lower() for key, value in parameters.items()}
    return name.lower() if plain in ({}, {"charset": "utf-8"}, {"charset": "utf8"}) else header


def _csv(body: bytes) -> NDArray[np.float32]:
    try:
        text = parse_csv(body)
    except CsvError as error:
        raise DecodingError(str(error), where=f"line {error.line}", hint=error.hint) from error
    columns = []
    for number, cells in enumerate(text.columns, 1):
        values, misfits = encode_numbers(cells, MissingValues.of(()))
        for misfit in misfits:
            where = f"row {misfit.row + 1}, column {number}"
            hint = "Send numbers without a header row, or write an input_fn"
            raise DecodingError(misfit.reason, where=where, hint=hint)
        columns.append(values)
    return np.array(columns, np.float32).T


def _sparse(parse: Callable[[bytes], SparseRows], body: bytes) -> csr_matrix:
    try:
        rows = parse(body)
    except RecordError as error:
        raise DecodingError(str(error), where=error.place, hint=error.hint) from error
    parts = rows.values.astype(np.float32), rows.indices, rows.starts
    return csr_matrix(parts, shape=(rows.rows, rows.width))


_DECODERS: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(
    {
        CSV: _csv,
        LIBSVM: partial(_sparse, partial(parse_libsvm, request=True)),
        "text/x-libsvm": partial(_sparse, partial(parse_libsvm, request=True)),
        RECORDIO: partial(_sparse, parse_recordio),
    }
)
