"""List what a tar stream holds, one file a line, sorted: docker export NAME | list_files.py.

Time stamps are left out: a layer's own folders carry the moment of the build.
"""

import hashlib
import sys
import tarfile


def main() -> int:
    """Read the stream from standard input and print the list."""
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as stream:
        lines = [describe(stream, member) for member in stream]
    sys.stdout.write("".join(f"{line}\n" for line in sorted(lines)))
    return 0


def describe(stream: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """Return path, kind, rights, owner, and the content's hash or a link's target."""
    content = member.linkname
    if data := stream.extractfile(member) if member.isreg() else None:
        content = hashlib.file_digest(data, "sha256").hexdigest()
    kind = member.type.decode()
    return f"{member.name} {kind} {member.mode:o} {member.uid}:{member.gid} {content}"


if __name__ == "__main__":
    sys.exit(main())
