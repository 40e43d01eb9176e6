"""A flow's file: its nodes, and the steps from each table that it reads to the end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sagetree.errors import SettingsError, quote

_VERSION = 1

# The workshop's templates: text for Python's string.Template, which writes $ as $$.
_ESCAPED = re.compile(r"\$\$|\$\{[A-Za-z_][A-Za-z0-9_]*\}")

# Nodes that look at a table or store it, and change nothing in it.
_ASIDE = ("DESTINATION", "VISUALIZATION")


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Input(_Record):
    node_id: str


class Node(_Record):
    """One step, or one table to begin with, as Data Wrangler writes it."""

    node_id: str
    type: str
    operator: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    trained_parameters: dict[str, Any] | None = None
    inputs: tuple[_Input, ...] = ()


class _Metadata(_Record):
    version: int


class _Flow(_Record):
    metadata: _Metadata
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Chain:
    """The steps that follow one source, in order."""

    source: Node
    steps: Sequence[Node]


def read_chains(path: Path) -> Sequence[Chain]:
    """Return the chains of a flow's file. Raises SettingsError for what is not one."""
    try:
        flow = _Flow.model_validate_json(_rendered(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise _fault(path, f"the file cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, ValidationError) as error:
        raise _fault(path, "this is not a flow of Data Wrangler") from error
    if flow.metadata.version != _VERSION:
        text = f"this is a flow of version {flow.metadata.version}, and only version 1 is supported"
        raise _fault(path, text)
    nodes = [node for node in flow.nodes if node.type not in _ASIDE]
    sources = [node for node in nodes if not node.inputs]
    if not sources:
        raise _fault(path, "the flow reads no table")
    return [Chain(source, _followers(path, source, nodes)) for source in sources]


def _rendered(text: str) -> str:
    """Return the text of a flow, of a template for string.Template with $ for each $$."""
    named = "${" in text
    return text.replace("$$", "$") if named and "$" not in _ESCAPED.sub("", text) else text


def _followers(path: Path, source: Node, nodes: Sequence[Node]) -> Sequence[Node]:
    found: list[Node] = []
    last = source
    while following := [n for n in nodes if last.node_id in [i.node_id for i in n.inputs]]:
        if len(following) > 1:
            names = " and ".join(node.operator for node in following)
            raise _fault(path, f"after step {len(found)} it branches to {names}")
        last = following[0]
        if last in found or last is source:
            raise _fault(path, "its steps form a circle")
        found.append(last)
    return found


def _fault(path: Path, text: str) -> SettingsError:
    hint = "Name a flow's file, saved by Data Wrangler, in which one step follows another"
    return SettingsError(text, where=f"--flow {path}", hint=hint)


def source_table(source: Node) -> str:
    """Return what the table that a source reads is called in queries: its file without suffix."""
    definition = source.parameters.get("dataset_definition")
    definition = definition if isinstance(definition, dict) else {}
    context = definition.get("s3ExecutionContext")
    uri = context.get("s3Uri") if isinstance(context, dict) else None
    name = str(definition.get("name") or uri or "")
    return PurePosixPath(name.rstrip("/")).stem


def shown(text: object) -> str:
    """Return a part of a flow for a message."""
    return quote(str(text))
