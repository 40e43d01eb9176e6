"""What a model is asked after its launch, beside what it was trained on."""
