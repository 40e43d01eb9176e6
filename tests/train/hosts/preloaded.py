"""What the server of hosts imports: as a job does, without what costs seconds and is not used."""

import importlib

from sagetree.machine.unused import left_out_unused

with left_out_unused():
    for name in ("sagetree.train.job", "tests.train.hosts.processes"):
        importlib.import_module(name)
