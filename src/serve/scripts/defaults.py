"""What holds where a user's script leaves a function out.

For a model of XGBoost's own it is as in the official container: model_fn gives an
xgboost.Booster, input_fn a DMatrix of CSV, libsvm or recordio-protobuf, predict_fn the
booster's predictions. For a bundle model_fn gives a `sagetree.bundle.model.Model`, input_fn
a Table of any body that is served without a script, predict_fn the scores. output_fn is the
toolkit's CSV, JSON or NPY.
"""

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sagemaker_inference import content_types, encoder
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from werkzeug.http import parse_options_header

from sagetree.boosters.best_rounds import Rounds, best_part
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.bundle.model import Model
from sagetree.bundle.model_files import plain_models, readable_bytes
from sagetree.errors import NotAcceptableError, quote
from sagetree.formats.media_types import CSV, JSON, NPY
from sagetree.official.decoding import decode
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.json_body import columns_of_value
from sagetree.serve.bodies.tables import table_of_array, table_of_columns
from sagetree.serve.negotiation import choose_decoder
from sagetree.tables.table import Source, Table, cell_list

if TYPE_CHECKING:
    import xgboost

OUTPUT_TYPES = (CSV, JSON, NPY)


class DefaultFunctions(DefaultInferenceHandler):  # type: ignore[misc]
    """The functions a script need not have; `context` is the toolkit's.

    `rounds` of a model of XGBoost's own predict. `model` is what model_fn gave: a Model says what
    a body may hold.
    """

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self.model: object = None

    def default_model_fn(self, model_dir: str, context: object = None) -> "Model | xgboost.Booster":  # noqa: ARG002
        """Return the model in the folder: a Booster if it is one of XGBoost's own.

        Raises ArtifactError as `Model.load`.
        """
        import xgboost

        folder = Path(model_dir)
        is_bundle = (folder / MANIFEST_FILE).parent.exists()
        # it also refuses what is none, such as a pickle
        model = Model.load(folder, rounds=self._rounds)
        if is_bundle or len(model.scorer.boosters) > 1:
            return model
        (path,) = plain_models(folder)
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(readable_bytes(path)))
        return best_part(booster) if self._rounds == "best" else booster

    def default_input_fn(
        self,
        input_data: bytes | str,
        content_type: str,
        context: object = None,  # noqa: ARG002 - the toolkit's signature
    ) -> "Table | xgboost.DMatrix":
        """Return the rows of a body. Raises UnsupportedMediaTypeError and DecodingError."""
        if not isinstance(self.model, Model):
            return decode(input_data, content_type)
        body = input_data.encode() if isinstance(input_data, str) else bytes(input_data)
        form = choose_decoder(content_type, "")
        whole = sys.maxsize  # the script is given all rows at once
        hints = Hints(
            self.model.schema,
            form.parameters,
            missing=self.model.features.missing.texts,
            slice_bytes=whole,
            slice_values=whole,
        )
        return _joined(list(form.decode(body, hints)))

    def default_predict_fn(self, data: Any, model: Any, context: object = None) -> Any:  # noqa: ANN401, ARG002
        """Return the model's predictions."""
        if isinstance(model, Model):
            return model.score(_table(model, data))
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


def _joined(tables: Sequence[Table]) -> Table:
    """Return the rows of a body as one table; a large one has several."""
    first = tables[0]
    if len(tables) == 1:
        return first
    columns = zip(*(table.columns for table in tables), strict=True)
    return first._replace(
        columns=tuple([*chain.from_iterable(map(cell_list, parts))] for parts in columns),
        rows=sum(table.rows for table in tables),
        sources=tuple(chain.from_iterable(table.sources for table in tables)),
    )


def _table(model: Model, data: Any) -> Table:  # noqa: ANN401 - whatever an input_fn returns
    """Return rows as a table: of a Table, a DataFrame, an array, records or lists of values.

    Raises TypeError for others, SchemaError where rows do not fit.
    """
    if isinstance(data, Table):
        return data
    if hasattr(data, "to_dict") and hasattr(data, "columns"):  # pandas, which may be absent
        import pyarrow as pa

        frame = pa.Table.from_pandas(data, preserve_index=False)
        return table_of_columns(frame.column_names, frame.columns, Source(frame.num_rows))
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.dtype.kind in "biuf":
        return table_of_array(data)
    if isinstance(data, (list, dict)):
        found = columns_of_value(data, model.schema)
        return table_of_columns(found.names, found.columns, Source(found.rows))
    raise TypeError(
        f"input_fn returned a {type(data).__name__}, which a sagetree model cannot score: return "
        "a DataFrame, records, or an array of numbers with a row each, or write a predict_fn"
    )
