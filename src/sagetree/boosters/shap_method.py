"""Who computes SHAP values; apart from the code that does, so that settings import no numpy."""

from typing import Literal, TypeAlias

# This project or XGBoost's library.
ShapMethod: TypeAlias = Literal["sagetree", "xgboost"]
