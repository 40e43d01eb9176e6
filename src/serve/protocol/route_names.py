"""The routes that ask for predictions, and what the only model of a server is called in them."""

MODEL_NAME = "model"

INVOCATIONS = "/invocations"
INVOKE = "/models/{name}/invoke"
INFER = f"/v2/models/{MODEL_NAME}/infer"

# The routes whose time and rows are those of predictions. A name in braces is any text.
PREDICTING = (INVOCATIONS, INVOKE, INFER)
