"""What comes out of a trained model: threshold, metrics, importance, baselines, files, summary."""
