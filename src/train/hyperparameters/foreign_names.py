"""Names of settings elsewhere, for those who look for them here."""

# What scikit-learn, LightGBM and CatBoost call it -> the hyperparameter.
ELSEWHERE = {
    "class_weight": "scale_pos_weight",
    "class_weights": "scale_pos_weight",
    "is_unbalance": "scale_pos_weight",
    "sample_weight": "weight_column",
    "iterations": "num_round",
    "max_iter": "num_round",
    "num_iterations": "num_round",
    "l2_leaf_reg": "lambda",
    "cat_features": "categorical_columns",
    "categorical_feature": "categorical_columns",
    "label": "target",
    "label_column": "target",
}
