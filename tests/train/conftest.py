"""Training jobs on small tables: a folder that stands for /opt/ml, and the program on it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.model import Model
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train

Job = Callable[..., "Ran"]


class Ran:
    """A job that has ended."""

    def __init__(self, opt_ml: OptMl, code: int, log: str) -> None:
        self.opt_ml, self.code, self.log = opt_ml, code, log

    @property
    def failure(self) -> str:
        """The text of the failure file."""
        return self.opt_ml.failure.read_text()

    @property
    def model(self) -> Model:
        """The model, loaded as serving does."""
        return Model.load(self.opt_ml.model)


@pytest.fixture
def opt_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OptMl:
    """An empty /opt/ml, for this process too."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return OptMl(tmp_path)


@pytest.fixture
def job(opt_ml: OptMl, capsys: pytest.CaptureFixture[str]) -> Job:
    """The function that writes a job's input and runs it."""

    def run(
        channels: Mapping[str, object],
        hyperparameters: Mapping[str, object] | None = None,
        config: object = None,
        arguments: Sequence[str] = (),
    ) -> Ran:
        for channel, files in channels.items():
            named = files if isinstance(files, dict) else {"data.csv": files}
            for name, content in named.items():
                path = opt_ml.data / channel / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        opt_ml.config.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"num_round": "5", **(hyperparameters or {})})
        (opt_ml.config / "hyperparameters.json").write_text(text)
        if config is not None:
            (opt_ml.config / "inputdataconfig.json").write_text(json.dumps(config))
        capsys.readouterr()
        code = train(list(arguments))
        return Ran(opt_ml, code, capsys.readouterr().out)

    return run


@pytest.fixture
def quick_job(job: Job) -> Job:
    """As `job`, with two shallow rounds: what is read of columns does not depend on them."""

    def run(
        channels: Mapping[str, object],
        hyperparameters: Mapping[str, object] | None = None,
        config: object = None,
        arguments: Sequence[str] = (),
    ) -> Ran:
        quick = {"num_round": "2", "max_depth": "2"}
        return job(channels, {**quick, **(hyperparameters or {})}, config, arguments)

    return run


def lines(rows: int = 120, header: str = "fraud,amount,kind,state\n", seed: int = 0) -> str:
    """Return a CSV table: a third frauds, which have high amounts and rarely kind b."""
    random = np.random.default_rng(seed)
    text = [header]
    for row in range(rows):
        fraud = int(row % 3 == 0)
        amount = random.normal(fraud, 1.0)
        kind = random.choice(["a", "b", "N/A"], p=[0.4, 0.5 - 0.4 * fraud, 0.1 + 0.4 * fraud])
        text.append(f"{fraud},{amount:.3f},{kind},{random.choice(['CA', 'WA'])}\n")
    return "".join(text)
