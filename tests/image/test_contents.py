"""What is in the image and what is not, and what it says about itself."""

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.image.conftest import Runner

pytestmark = pytest.mark.docker

MEGABYTE = 1_000_000
LARGEST_CPU_MB = 800
# CUDA's build of XGBoost and NCCL come to 500 MB.
LARGEST_GPU_MB = 1500

PROGRAMS = ("train", "serve", "prepare", "evaluate")
TOOLS = ("gcc", "cc", "g++", "ld", "as", "make", "easy_install", "uv", "conda", "git", "curl")

# Prints where each of its words is on PATH.
WHERE = 'for word; do command -v "$word"; done; true'

# Walks the installed modules. What cannot be imported because a module of its own package is
# gone would be a hole that container/builder/finish.py made; optional packages that were never
# asked for do not count. One process for each package, since some bring down the interpreter.
IMPORT_ALL = """
import importlib, os, pkgutil, sys, warnings
site = next(path for path in sys.path if path.endswith("site-packages"))
tops = sorted(m.name for m in pkgutil.iter_modules([site]) if not m.name.startswith("_"))
warnings.simplefilter("ignore")
def attempt(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in tops:
            print(name, "misses", error.name, file=sys.__stderr__)
    except BaseException as error:
        if "shared object" in str(error):
            print(name, "misses", error, file=sys.__stderr__)
for top in tops:
    if os.fork():
        os.wait()
        continue
    sys.stdout = open(os.devnull, "w")
    package = attempt(top)
    paths = getattr(package, "__path__", [])
    for module in pkgutil.walk_packages(paths, top + ".", lambda _: None):
        if "__main__" not in module.name and not module.name.startswith(SKIPPED):
            attempt(module.name)
    os._exit(0)
"""
# Modules that only a library's authors import, or that are for machines other than this one.
NOT_FOR_HERE = ("scipy.special._precompute", "psutil._ps", "pyarrow.cuda")

PACKAGES = """
import importlib.metadata as m, json
print(json.dumps({d.metadata["Name"]: d.version for d in m.distributions()}))
"""

# The second word of a .pyc says how it is checked: 1 is by its source's hash, and not at all.
UNCHECKED = """
import pathlib, sys
compiled = [p for p in pathlib.Path("/").glob(sys.argv[1])]
sources = [p for p in compiled if p.read_bytes()[4:8] != bytes([1, 0, 0, 0])]
print(len(compiled), *sources)
"""


@pytest.fixture(scope="session")
def packages(session_runner: Runner) -> dict[str, str]:
    """Name and version of every Python package in the image."""
    found: dict[str, str] = json.loads(session_runner.say("python", "-c", PACKAGES))
    return found


def find(runner: Runner, *conditions: str) -> list[str]:
    """Return what `find` finds in the image."""
    return runner.say("find", "/", "-xdev", *conditions).splitlines()


def test_it_is_small(runner: Runner, packages: dict[str, str]) -> None:
    limit = LARGEST_CPU_MB if "xgboost-cpu" in packages else LARGEST_GPU_MB

    assert runner.inspect_image(".Size") <= limit * MEGABYTE


def test_there_is_one_xgboost_with_what_its_build_needs(
    runner: Runner, packages: dict[str, str]
) -> None:
    cuda = "xgboost" in packages
    program = "import xgboost; print(xgboost.build_info()['USE_CUDA'])"

    assert cuda != ("xgboost-cpu" in packages)
    assert runner.say("python", "-c", program).strip() == str(cuda)
    assert any(name.startswith("nvidia-nccl") for name in packages) == cuda


def test_the_command_is_train_and_becomes_process_1(runner: Runner) -> None:
    assert runner.inspect_image(".Config.Cmd") == ["train"]
    assert runner.inspect_image(".Config.Entrypoint") == ["entrypoint"]
    assert runner.say("sh", "-c", "echo $$") == "1\n"


def test_labels(runner: Runner) -> None:
    labels = runner.inspect_image(".Config.Labels")

    assert labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert labels["com.amazonaws.sagemaker.capabilities.multi-models"] == "true"
    said = {key: value for key, value in labels.items() if key.startswith("org.opencontainers.")}
    assert {key.removeprefix("org.opencontainers.image.") for key in said} == {
        "title", "description", "licenses", "version", "revision", "base.name",
    }  # fmt: skip
    assert all(said.values())


def test_our_programs_come_first_on_the_path(runner: Runner) -> None:
    wanted = (*PROGRAMS, "sagetree", "healthcheck")
    paths = runner.say("sh", "-c", WHERE, "sh", *wanted)

    assert paths.splitlines() == [
        *(f"/opt/sagetree/bin/{name}" for name in PROGRAMS),
        "/opt/venv/bin/sagetree",
        "/opt/sagetree/bin/healthcheck",
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_has_its_help(runner: Runner, program: str) -> None:
    assert runner.say(program, "--help").startswith(f"usage: sagetree {program}")


def test_any_user_may_use_opt_ml(runner: Runner) -> None:
    assert runner.say("stat", "--format=%a", "/opt/ml").strip() == "1777"
    assert find(runner, "-path", "/opt/*", "-not", "-perm", "-o=r", "-not", "-type", "l") == []


def test_nothing_to_compile_or_install_with(runner: Runner) -> None:
    """But for one pip, which SageMaker's SDK v3 wants to find beside the programs."""
    assert runner.say("sh", "-c", WHERE, "sh", *TOOLS) == ""
    found = find(runner, "-path", "*/pip/__init__.py", "-o", "-path", "*/ensurepip/__init__.py")
    (only,) = found
    assert only.startswith("/opt/venv/")


def test_no_suites_headers_or_stubs(runner: Runner) -> None:
    names = ("test_*.py", "conftest.py", "*.h", "*.pyi", "*.pxd", "*.a")
    wanted = " -o -name ".join(names).split()
    found = find(runner, "-path", "/opt/*", "(", "-name", *wanted, ")")

    # Named like a suite: cases for those who test with this package.
    assert [path for path in found if not path.endswith("annotated_types/test_cases.py")] == []


def test_no_module_misses_a_part_of_its_package(runner: Runner) -> None:
    """What was taken out of wheels is needed by nothing that is left."""
    program = IMPORT_ALL.replace("SKIPPED", repr(NOT_FOR_HERE))

    said = runner.start("python", "-c", program, options=["--network=none"])

    # A process for each package: minutes on a busy machine.
    assert said.wait(600) == 0
    assert [line for line in said.log.splitlines() if " misses " in line] == []


def test_bytecode_is_compiled_and_is_never_checked(runner: Runner) -> None:
    """Nothing compiles at a start, whatever the time stamps of files have become."""
    for folder in ("opt/venv/lib/**/*.pyc", "usr/local/lib/**/*.pyc"):
        count, *checked = runner.say("python", "-c", UNCHECKED, folder).split()
        assert int(count) > 300
        assert checked == []


def test_the_environment(runner: Runner) -> None:
    lines = runner.inspect_image(".Config.Env")
    variables = dict(line.split("=", 1) for line in lines)

    assert variables["PYTHONUNBUFFERED"] == "1"
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert variables["SAGEMAKER_BASE_DIR"] == "/opt/ml"
    # Either would turn off a user's own script.
    assert "SAGEMAKER_TRAINING_MODULE" not in variables
    assert "SAGEMAKER_PROGRAM" not in variables


def test_the_bill_of_materials_is_what_is_installed(
    runner: Runner, packages: dict[str, str]
) -> None:
    bom = json.loads(runner.say("cat", "/opt/sagetree/sbom.json"))
    parts = {part["purl"].split("?")[0] for part in bom["components"]}
    debian = runner.say("dpkg-query", "--show", "--showformat", "${Package}@${Version}\n")

    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    assert bom["metadata"]["component"]["name"] == "sagetree"
    assert {part for part in parts if part.startswith("pkg:pypi/")} == {
        f"pkg:pypi/{normal(name)}@{version}"
        for name, version in packages.items()
        if name != "sagetree"
    }
    assert {part for part in parts if part.startswith("pkg:deb/")} == {
        f"pkg:deb/debian/{quote(line, safe='@:~')}" for line in debian.splitlines()
    }
    references = {part["bom-ref"] for part in (bom["metadata"]["component"], *bom["components"])}
    named = {name for entry in bom["dependencies"] for name in (entry["ref"], *entry["dependsOn"])}
    assert named <= references


def test_the_bill_of_materials_names_licences(runner: Runner) -> None:
    bom = json.loads(runner.say("cat", "/opt/sagetree/sbom.json"))
    unknown = {part["name"] for part in bom["components"] if not part.get("licenses")}
    # Debian's own, whose copyright files only people can read
    assert all(part["purl"].startswith("pkg:deb/") for part in bom["components"]
               if part["name"] in unknown)  # fmt: skip
    assert len(unknown) < 20
    (xgboost,) = [part for part in bom["components"] if part["name"].startswith("xgboost")]
    assert xgboost["licenses"] == [{"license": {"name": "Apache-2.0"}}]


# A line for each file or folder: its MB (of a million bytes), rounded, and its name.
LARGE_PARTS = """
for part in /opt/venv/lib/python3*/site-packages/* /opt/venv/bin /opt/sagetree \\
        /usr/local/* /usr/lib/* /usr/share/* /usr/bin /usr/sbin /var /etc; do
    set -- $(du -xsk "$part")
    echo $(( ($1 * 1024 + 500000) / 1000000 )) "${part##*site-packages/}"
done
"""


def test_every_large_part_has_its_reason_in_the_guide(runner: Runner) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "image.md").read_text()
    named = dict(re.findall(r"^\| `(\S+)` \| (\d+) \|", guide, re.MULTILINE))
    lines = [line.split() for line in runner.say("sh", "-c", LARGE_PARTS).splitlines()]
    large = {name: int(size) for size, name in lines if int(size) > 20}
    # of the image with CUDA, XGBoost is larger; the base may be Python's own
    ours = {name for name in large if not name.startswith("/usr/")}
    assert ours <= named.keys()
    for name in ours - {"xgboost"}:
        assert abs(large[name] - int(named[name])) <= 5


def test_options_alone_are_for_sagetree(runner: Runner) -> None:
    assert runner.say("--help").startswith("usage: sagetree ")
    assert runner.say("--version") == runner.say("sagetree", "--version")


def normal(name: str) -> str:
    """Return a package's name as PyPI's addresses spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_as(source: Path) -> str:
    """src/train/cli.py is installed as sagetree/train/cli.py."""
    within = () if source.parts[0] == "sagetree" else ("sagetree",)
    return str(Path(*within, source))


def test_it_holds_this_source(runner: Runner) -> None:
    """A suite that tests yesterday's image proves nothing of today's tree."""
    root = Path(__file__).parent.parent.parent
    script = (
        "cd /opt/venv/lib/python3*/site-packages && "
        "find sagetree -type f -not -name '*.pyc' | xargs sha256sum"
    )
    src = root / "src"
    sources = [path for path in src.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    here = {
        (hashlib.sha256(path.read_bytes()).hexdigest(), installed_as(path.relative_to(src)))
        for path in sources
    }

    there = {tuple(line.split()) for line in runner.say("sh", "-c", script).splitlines()}
    other = {path for _, path in here ^ there}
    assert other == set(), "these files are others than in the tree: run `make image`"
