"""Pack what `make fuzz` has come to into the corpus: python -m tests.fuzz.keep [FOLDER].

FOLDER (.fuzz) holds a folder of inputs for each fuzzer.
"""

import gzip
import io
import sys
import tarfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def pack(folder: Path) -> bytes:
    """Return a tar.gz of the inputs, equal for equal inputs."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(path.name)
            member.size = path.stat().st_size
            archive.addfile(member, io.BytesIO(path.read_bytes()))
    return gzip.compress(packed.getvalue(), 9, mtime=0)


if __name__ == "__main__":
    source = Path(sys.argv[1] if len(sys.argv) > 1 else ".fuzz")
    for found in sorted(path for path in source.iterdir() if path.is_dir()):
        (CORPUS / f"{found.name}.tar.gz").write_bytes(pack(found))
