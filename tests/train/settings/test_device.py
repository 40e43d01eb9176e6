"""A job that asks for a GPU gets one, or an error before any data are read."""

import pytest
import xgboost

from sagetree.machine.gpus import visible_gpus
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.train.settings.configuration import count_gpus
from sagetree.train.settings.device import device_faults, gpu_faults, gpu_notes
from tests.train.conftest import Job, lines


@pytest.mark.parametrize(
    "given", [{"device": "cuda"}, {"device": "gpu"}, {"tree_method": "gpu_hist"}]
)
@pytest.mark.skipif(xgboost.build_info()["USE_CUDA"], reason="this XGBoost is the CUDA build")
def test_the_cpu_build_trains_on_no_gpu(job: Job, given: dict[str, str]) -> None:
    ran = job({"train": lines(100)}, given)
    assert ran.code == 1
    assert ran.failure == (
        "device is cuda, and this is XGBoost's CPU build: use the image that "
        "./build_and_push.sh --gpu builds, or device=cpu. Correct it\n"
    )


def test_a_machine_without_a_gpu_says_so() -> None:
    assert [*gpu_faults(built=True, gpus=0)] == [
        "device is cuda, and no GPU is visible here: use an instance that has one "
        "(with docker run: --gpus all), or device=cpu"
    ]
    assert [*gpu_faults(built=True, gpus=1)] == []


def test_idle_gpus_are_said() -> None:
    assert [*gpu_notes(1)] == []
    assert [*gpu_notes(4)] == ["One of the 4 GPUs of this machine trains; the others stay idle"]


@pytest.mark.parametrize(
    ("given", "gpus"),
    [
        ({"device": "cuda"}, 4),
        ({"device": "gpu"}, 4),
        ({"tree_method": "gpu_hist"}, 4),
        ({"device": "cpu"}, 1),
        ({}, 1),
        ({"device": "cuda", "eta": "x"}, 1),
    ],
)
def test_all_gpus_of_a_machine_train_but_for_what_asks_for_none(
    opt_ml: OptMl, given: dict[str, str], gpus: int
) -> None:
    assert count_gpus(opt_ml, given, lambda: 4) == gpus
    assert count_gpus(opt_ml, given, lambda: 1) == count_gpus(opt_ml, given, lambda: 0) == 1


def test_each_of_several_hosts_trains_on_one_gpu(opt_ml: OptMl) -> None:
    opt_ml.config.mkdir(parents=True)
    opt_ml.resource_config.write_text('{"current_host": "a", "hosts": ["a", "b"]}')
    assert count_gpus(opt_ml, {"device": "cuda"}, lambda: 4) == 1


def test_what_hosts_cannot_train_together_trains_on_one_gpu_and_says_so(
    opt_ml: OptMl, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOG, "propagate", True)
    assert count_gpus(opt_ml, {"device": "cuda", "tune": "20"}, lambda: 4) == 1
    assert caplog.messages == [
        "One of the 4 GPUs of this machine trains; the others stay idle, as a process for each "
        "GPU is a host: tune is set, which the 4 hosts of the job cannot train together: leave "
        "it out, or use one host"
    ]


def test_a_job_on_the_cpu_asks_no_driver() -> None:
    assert [*device_faults({"device": "cpu"})] == []
    assert [*device_faults({})] == []


def test_the_driver_is_asked_how_many_it_shows() -> None:
    assert visible_gpus() >= 0
