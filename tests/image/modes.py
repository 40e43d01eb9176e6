"""The ways in which people and platforms run a container, each by its options."""

OTHER_USER = ("--user=12345:12345",)
READ_ONLY = ("--read-only", "--tmpfs=/tmp")
NO_NETWORK = ("--network=none",)
SMALL = ("--memory=1g", "--memory-swap=1g", "--cpus=1")
NO_RIGHTS = ("--cap-drop=ALL", "--security-opt=no-new-privileges")

MODES = {
    "root": (),
    "other user": OTHER_USER,
    "read only": READ_ONLY,
    "no network": NO_NETWORK,
    "1 GB and 1 core": SMALL,
    "all at once": (*OTHER_USER, *READ_ONLY, *NO_NETWORK, *SMALL, *NO_RIGHTS),
}

# Where a container may write; the folders above them change when one is mounted.
WRITABLE = ("/opt/ml", "/tmp", "/dev/shm")
MOUNT_POINTS = ("/opt", "/dev")


def written_elsewhere(changes: list[str]) -> list[str]:
    """Return the paths that a container should have left as they were."""
    allowed = tuple(f"{folder}/" for folder in WRITABLE)
    return [
        path
        for path in changes
        if path not in (*WRITABLE, *MOUNT_POINTS) and not path.startswith(allowed)
    ]
