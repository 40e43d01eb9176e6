"""How far captured rows are from training's, and whether chance explains it."""
