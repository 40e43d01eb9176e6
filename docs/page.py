"""Take README's pictures, page.png and report.png, of the example: python -m docs.page.

It runs the demo in a folder of its own, whose pictures they are.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local_test.demo import HERE, PICTURES
from local_test.demo import main as demo
from local_test.pictures import PAGE, REPORT, find_browser


def main() -> int:
    """Run the demo, and keep its pictures. Raises SystemExit where there is no Chromium."""
    if find_browser() is None:
        sys.exit("Chromium is not installed (Debian: apt install chromium)")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(HERE / "test_dir" / "input" / "config", root / "input" / "config")
        code = demo(["--dir", folder, "--pictures"])
        if code == 0:
            for name in (PAGE, REPORT):
                shutil.copy(root / PICTURES / name, Path(__file__).parent / name)
    return code


if __name__ == "__main__":
    sys.exit(main())
