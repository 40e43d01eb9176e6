"""What people act on: one page, and a model card, of the facts of an evaluation."""
