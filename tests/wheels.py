"""Wheels of one module, for requirements that need no network."""

import zipfile
from collections.abc import Sequence
from pathlib import Path


def wheel(folder: Path, name: str, version: str, needs: Sequence[str] = ()) -> None:
    """Write the wheel of a package that is one module, whose `__version__` is the version."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {need}" for need in needs]
    files = {
        f"{name}.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def requirements(code: Path, *wanted: str) -> None:
    """Ask in requirements.txt for what lies in the code's folder wheels/, and nowhere else."""
    lines = ["--no-index", "--find-links wheels", *wanted]
    (code / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
