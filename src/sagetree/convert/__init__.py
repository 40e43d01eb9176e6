"""Models in XGBoost's old forms, saved again in the one that it reads today."""
