"""A job's watcher: a small process that says why the job's own one was killed.

A process that the kernel kills because memory ran out, or that a library aborts, can no longer
write its failure file.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

# Those that ask a job to end; SIGINT of a terminal reaches both processes by itself.
_PASSED_ON = (signal.SIGTERM, signal.SIGINT)

# prctl's number: the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1

# siginfo's code of a signal that comes from the kernel, such as a terminal's.
_SI_KERNEL = 128

_REMEDY = (
    "If memory ran out, use a larger instance or fewer rows; training also has external_memory=true"
)

# What a library does that reads where nothing is: XGBoost on a damaged model, but also one that
# was given no memory.
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
_AFTER_A_CRASH = (
    "If it reads a model or a checkpoint that is damaged, copy that again, or train again. "
    f"{_REMEDY}"
)


def watched(work: Callable[[], int], report: Callable[[], Path | None]) -> int:
    """Run `work` in a process of its own and return its exit code.

    If that process is killed by a signal, the reason is written to the file that
    `report` returns (SageMaker's failure or message file; None: to the log
    alone) and the code is 1. It ends with this one. To be called before there
    are threads; elsewhere than on Linux `work` runs in this process.
    """
    if sys.platform != "linux":
        return work()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it was ignored nobody would know
    waited_for = (*_PASSED_ON, signal.SIGCHLD)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    watcher = os.getpid()
    child = os.fork()
    if not child:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != watcher:  # it was killed meanwhile
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return work()
    status = None
    while status is None:
        info = signal.sigwaitinfo(waited_for)
        if info.si_signo != signal.SIGCHLD:
            if info.si_code != _SI_KERNEL:
                os.kill(child, info.si_signo)
            continue
        ended, found = os.waitpid(child, os.WNOHANG)
        status = found if ended else None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _report(signal.Signals(-code), report())


def _report(number: signal.Signals, report: Path | None) -> int:
    from sagetree.machine.program import fail, start_logging  # the small process stays small

    start_logging()
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    reason = f"The job {killed_by(number)}; it had taken up to {taken:.0f} MB of memory"
    remedy = _AFTER_A_CRASH if number in _CRASHES else _REMEDY
    return fail(f"{reason}. {remedy}", report)


def killed_by(number: signal.Signals) -> str:
    """Return what happened to a process that a signal ended.

    >>> killed_by(signal.SIGABRT)
    'was killed by SIGABRT, as a library does when it cannot go on'
    """
    reasons = {
        signal.SIGKILL: ", as the system does when memory runs out",
        signal.SIGABRT: ", as a library does when it cannot go on",
    }
    return f"was killed by {number.name}{reasons.get(number, '')}"
