"""SageMaker SDK v3 in local mode: train with ModelTrainer."""

import argparse
import tarfile
import tempfile
from pathlib import Path

from sagemaker.core.training.configs import Compute, InputData
from sagemaker.train.configs import SourceCode
from sagemaker.train.model_trainer import Mode, ModelTrainer

ROLE = "arn:aws:iam::111111111111:role/local"
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Train on the channels in --dir, and name what the model artifact holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="sagetree")
    parser.add_argument("--dir", type=Path, default=HERE.parent / "test_dir")
    parser.add_argument("--hosts", type=int, default=1, help="hosts that train together")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="sagetree-trainer-"))
    channels = (options.dir / "input" / "data").resolve()
    trainer = ModelTrainer(
        training_image=options.image,
        training_mode=Mode.LOCAL_CONTAINER,
        compute=Compute(instance_type="local_cpu", instance_count=options.hosts),
        source_code=SourceCode(command="train"),
        hyperparameters={"target": "fraud", "num_round": 200},
        local_container_root=str(work),
        role=ROLE,
    )
    names = ("train", "validation")
    trainer.train(
        input_data_config=[
            InputData(channel_name=name, data_source=str(channels / name)) for name in names
        ]
    )
    artifact = next(work.rglob("model.tar.gz"))
    with tarfile.open(artifact) as tar:
        members = [member.name for member in tar if member.isfile()]
    print("model.tar.gz holds", ", ".join(sorted(members)), flush=True)


if __name__ == "__main__":
    main()
