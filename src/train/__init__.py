"""The training program: /opt/ml/input in, a checked model bundle out."""
