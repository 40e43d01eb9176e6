"""XGBoost by its C interface: predicting, explaining, and what each objective means."""
