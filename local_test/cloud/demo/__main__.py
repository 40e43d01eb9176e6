"""usage: python -m local_test.cloud.demo [--image IMAGE] [--policies N] [--log FILE]

The solution on AWS on one's desk: the real template, the stored pipeline, real containers.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from local_test.cloud.demo.page import Page
from local_test.cloud.demo.person import Trouble
from local_test.cloud.demo.story import tell
from local_test.cloud.desk import Desk, stand
from local_test.cloud.pipeline.containers import Docker, DockerFailed

# As many as the workshop's files have.
POLICIES = 5000
SIGNALS = (signal.SIGINT, signal.SIGTERM)

LAST_LINES = 15
LAST_FAILURES = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Tell the story; return 0, or 1 where something went another way than it should."""
    options = _options(argv)
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    page = Page(os.fdopen(os.dup(1), "w"))
    # What the functions log goes to a file: a log line of theirs is written to descriptor 1.
    with tempfile.TemporaryDirectory(prefix="sagetree-demo-") as folder:
        log = Path(folder) / "functions.log"
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        docker = Docker(options.image)
        try:
            with stand(docker) as desk:
                try:
                    tell(page, desk, Path(folder), options.policies)
                except Trouble as trouble:
                    page.line(f"\nStopped: {trouble}\n")
                    _known(page, desk, docker, log)
                    return 1
        except DockerFailed as error:
            page.line(f"\nStopped: {error}")
            return 1
        except KeyboardInterrupt:
            page.line("\nStopped. Servers, containers and files are removed.")
            return 130
        finally:
            docker.close()
    page.line(f"All of this took {page.seconds:.0f} s, and nothing of it is left.")
    return 0


def _known(page: Page, desk: Desk, docker: Docker, log: Path) -> None:
    """Say all that is known of why: errors of functions, and who wrote which lines last."""
    for failure in desk.functions.failures[-LAST_FAILURES:]:
        page.line(f"{failure.function} raised {failure.error}")
    for failed in desk.backstage.failures:
        page.line(failed)
    said = {"the functions": "\n".join(log.read_text().splitlines()[-LAST_LINES:])}
    said |= {name: docker.last_lines(name) for name in docker.left()}
    for who, lines in said.items():
        page.line(f"\nThe last lines of {who}:\n{lines}")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_test.cloud.demo", description=__doc__)
    parser.add_argument("--image", default="sagetree", help="the image (default: %(default)s)")
    parser.add_argument("--policies", type=int, default=POLICIES, help="rows of the tables")
    return parser.parse_args(argv)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in SIGNALS:  # once is enough: what there is has to be removed
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
