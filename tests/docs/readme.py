"""README's code blocks, and one shell script of those that somebody would type in turn."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

# A line that goes on until it is asked to end.
SERVER = re.compile(r"^(?:(?:\w+=\S+ )?sagetree serve|docker run .* serve\b).*$", re.MULTILINE)

# A server runs until the next one, or the end; it has to end well.
PROLOGUE = """\
set -euo pipefail
server=""
stop() { [ -z "$server" ] || { kill "$server"; wait "$server"; server=""; }; }
trap stop EXIT
started() {
    until curl -sf http://127.0.0.1:8080/ping; do
        kill -0 "$server"
        sleep 0.1
    done
}
"""


@dataclass(frozen=True)
class Block:
    """A code block; `needs` is its first line where that is a comment, such as "in a clone"."""

    language: str
    needs: str
    text: str


def blocks(page: Path = README) -> list[Block]:
    """Return a page's code blocks in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(language, _needs(text), text) for language, text in found]


def _needs(text: str) -> str:
    first = text.partition("\n")[0]
    return first.removeprefix("# ") if first.startswith("# ") else ""


def shell(chosen: Iterable[Block], port: int) -> str:
    """Return one bash script of the blocks, with `port` in place of 8080.

    It ends with an error at the first line that does.
    """
    text = "\n".join(block.text for block in chosen)
    text = SERVER.sub(r"stop\n(exec env \g<0>\n) & server=$!\nstarted", text)
    return f"{PROLOGUE}{text}stop\n".replace("127.0.0.1:8080", f"127.0.0.1:{port}")


def write_tables(folder: Path) -> None:
    """Write the tables that README's commands name: claims, later ones, and rows to score."""
    chance = random.Random(1)
    for name, rows in (("claims", 400), ("later", 200), ("rows", 50)):
        labelled = name != "rows"
        lines = ["fraud,amount,age,region" if labelled else "amount,age,region"]
        for _ in range(rows):
            amount, age = chance.randint(100, 9000), chance.randint(18, 80)
            fraud = int(chance.random() < (0.7 if amount > 6000 else 0.1))
            label = f"{fraud}," if labelled else ""
            lines.append(f"{label}{amount},{age},{chance.choice(['north', 'south', 'east'])}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
