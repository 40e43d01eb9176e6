"""Many models in one server: load two, list them, ask each, unload them.

usage: multi_model.py ADDRESS ROWS.csv MODEL ..., of SAGEMAKER_MULTI_MODEL=true sagetree serve
"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen


def ask(method: str, url: str, body: bytes = b"", content_type: str = "application/json") -> str:
    """Send one request and return its answer. Raises HTTPError for any but 200."""
    headers = {"Content-Type": content_type, "Accept": "text/csv"}
    request = Request(url, body or None, headers, method=method)  # noqa: S310 - http
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - http
        text: str = answer.read().decode()
    return text


def main() -> None:
    """Take two models through all that SageMaker asks of a multi-model endpoint."""
    address, rows, *folders = sys.argv[1:]
    models = f"{address}/models"
    names = [f"model-{number}" for number, _ in enumerate(folders)]
    for name, folder in zip(names, folders, strict=True):
        model = {"model_name": name, "url": str(Path(folder).resolve())}
        ask("POST", models, json.dumps(model).encode())
    loaded = [model["modelName"] for model in json.loads(ask("GET", models))["models"]]
    print("loaded:", *sorted(loaded))
    for name in names:
        scores = ask("POST", f"{models}/{name}/invoke", Path(rows).read_bytes(), "text/csv").split()
        print(f"{name}: {len(scores)} scores, the first is {scores[0]}")
    for name in names:
        ask("DELETE", f"{models}/{name}")
    print("left:", json.loads(ask("GET", models))["models"])


if __name__ == "__main__":
    main()
