"""Write the pipeline's definition, as src/cloud/pipeline makes it, into cloud/template.yaml.

make generated
"""

import sys
from pathlib import Path

from sagetree.cloud.pipeline.embedded import with_definition

TEMPLATE = Path(__file__).parents[1] / "cloud" / "template.yaml"


def main() -> int:
    """Write the template anew."""
    TEMPLATE.write_text(with_definition(TEMPLATE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
