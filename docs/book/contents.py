"""What the book holds, and in which order."""

from collections.abc import Mapping
from pathlib import Path

from docs.book.errors import errors_page
from docs.book.reference import bundle_page, commands_page, http_page, variables_page

GUIDE = "docs/guide"
MADE = "reference/"

# Each chapter's title, and its pages by the titles they have beside the text.
CHAPTERS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "First steps",
        (
            ("sagetree", "README.md"),
            ("Install", f"{GUIDE}/install.md"),
            ("The example", f"{GUIDE}/example.md"),
        ),
    ),
    (
        "Your own data",
        (
            ("Your own files", f"{GUIDE}/own-files.md"),
            ("Data", f"{GUIDE}/data.md"),
            ("Feature Store", f"{GUIDE}/feature-store.md"),
            ("Data Wrangler's flows", f"{GUIDE}/flows.md"),
        ),
    ),
    (
        "The programs",
        (
            ("Prepare", f"{GUIDE}/prepare.md"),
            ("Prepare on Spark", f"{GUIDE}/spark.md"),
            ("Train", f"{GUIDE}/train.md"),
            ("Defaults", f"{GUIDE}/defaults.md"),
            ("Tuning", f"{GUIDE}/tuning.md"),
            ("Several hosts", f"{GUIDE}/hosts.md"),
            ("Evaluate", f"{GUIDE}/evaluate.md"),
            ("Bias", f"{GUIDE}/bias.md"),
            ("Predict", f"{GUIDE}/predict.md"),
            ("Serve", f"{GUIDE}/serve.md"),
            ("Clients of the server", "docs/clients.md"),
            ("Drift", f"{GUIDE}/drift.md"),
            ("Your own scripts", f"{GUIDE}/scripts.md"),
        ),
    ),
    (
        "SageMaker",
        (
            ("The image", f"{GUIDE}/image.md"),
            ("SageMaker's SDKs", "local_test/sdk/README.md"),
            ("Examples to copy", "local_test/examples/README.md"),
            ("The solution on AWS", f"{GUIDE}/cloud.md"),
            ("Its templates", "cloud/README.md"),
            ("Its desk", "local_test/cloud/README.md"),
        ),
    ),
    ("Switching", (("From the built-in XGBoost", f"{GUIDE}/switching.md"),)),
    ("The workshop", (("Lab by lab", f"{GUIDE}/workshop.md"),)),
    (
        "Running it",
        (
            ("Errors, and what to do", "reference/errors.md"),
            ("Operations", f"{GUIDE}/operations.md"),
            ("Releasing", "docs/releasing.md"),
        ),
    ),
    (
        "Reference",
        (
            ("Hyperparameters and metrics", "container/hyperparameters.md"),
            ("Commands", "reference/commands.md"),
            ("Environment variables", "reference/variables.md"),
            ("HTTP", "reference/http.md"),
            ("A model's files", "reference/bundle.md"),
            ("What has changed", "CHANGELOG.md"),
        ),
    ),
    (
        "Cost",
        (
            ("Speed", f"{GUIDE}/speed.md"),
            ("Scale", "docs/scale.md"),
        ),
    ),
    (
        "Inside",
        (
            ("Architecture", "docs/architecture.md"),
            ("Recipes", "docs/recipes.md"),
            ("Words", "docs/words.md"),
            ("Contributing", "CONTRIBUTING.md"),
            ("Decisions", "docs/decisions/README.md"),
        ),
    ),
)


def pages() -> list[Path]:
    """Return the Markdown files of this checkout that are pages."""
    root = Path(__file__).parents[2]
    named = [page for _, entries in CHAPTERS for _, page in entries if not page.startswith(MADE)]
    decisions = sorted((root / "docs" / "decisions").glob("*.md"))
    return list(dict.fromkeys([*map(Path, named), *(path.relative_to(root) for path in decisions)]))


def generated() -> Mapping[str, str]:
    """Return the pages that are made from the code, by their names in the site."""
    return {
        "reference/commands.md": commands_page(),
        "reference/variables.md": variables_page(),
        "reference/http.md": http_page(),
        "reference/bundle.md": bundle_page(),
        "reference/errors.md": errors_page(),
    }
