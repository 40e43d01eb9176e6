"""The routes that ask for predictions, and what the only model of a server is called in them."""

MODEL_NAME = "model"

INVOCATIONS = "/invocations"
INVOKE = "/models/{name}/invoke"

# Below it is the Open Inference Protocol.
V2 = "/v2"
INFER = f"{V2}/models/{MODEL_NAME}/infer"
INFER_VERSION = f"{V2}/models/{MODEL_NAME}/versions/{{version}}/infer"

# The routes whose time and rows are those of predictions. A name in braces is any text.
PREDICTING = (INVOCATIONS, INVOKE, INFER, INFER_VERSION)

# Routes that only say what the model is called.
OTHER_MODEL = f"{V2}/models/{{name}}"
OTHER_INFER = f"{OTHER_MODEL}/infer"
