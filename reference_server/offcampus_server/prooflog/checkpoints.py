"""Checkpoints held outside: reading one, and the list of leaf hashes that may lie beside it.

A checkpoint is a kilobyte and tells that something was changed; the list (65 bytes an entry) tells which entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from offcampus_spec import schemas
from sqlalchemy import Connection

from offcampus_server.kernel import files
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.prooflog import heads, proofs, tree

AT_A_TIME = 10_000


class CheckpointError(ValueError):
    """A file is no checkpoint of this log, or its signature does not hold; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """What somebody kept outside: a size, its root, and perhaps every leaf hash below it."""

    size: int
    root_hash: str
    leaf_hashes: tuple[str, ...] | None = None


def load(path: Path, origin: str, leaves: Path | None = None) -> Checkpoint:
    """Read a checkpoint and its list. Raises CheckpointError.

    The key lies in the file itself: whoever keeps the file outside keeps the key with it, so that neither the
    database nor the server's key file can put another in its place.
    """
    document = _document(path)
    head = document["head"]
    if head["origin"] != origin:
        raise CheckpointError(f"{path} is a checkpoint of {head['origin']}, this is {origin}")
    try:
        key = OKPKey.import_key(document["key"])
    except (JoseError, ValueError):
        raise CheckpointError(f"{path}: the key cannot be read") from None
    row = {**head, "signed_at": parse(head["signed_at"])}
    if not heads.holds(row, Keyring((key,))):
        raise CheckpointError(f"{path}: the signature does not hold under the file's key")
    kept = None if leaves is None else _leaf_hashes(leaves, head)
    return Checkpoint(head["size"], head["root_hash"], kept)


def write(connection: Connection, path: Path, document: Mapping[str, Any], leaves: Path | None) -> None:
    """Write a checkpoint, after its list of leaf hashes: killed in between, an older one fits the longer list."""
    if leaves is not None:
        with files.written_whole(leaves) as file:
            file.writelines(f"{found}\n".encode("ascii") for found in _all(connection, document["head"]["size"]))
    with files.written_whole(path) as file:
        file.write(json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n")


def root_of(leaf_hashes: tuple[str, ...]) -> str:
    """The root over a list of leaf hashes."""
    stack: list[bytes] = []
    for index, text in enumerate(leaf_hashes):
        grow(stack, index, bytes.fromhex(text))
    return root(stack).hex()


def grow(stack: list[bytes], index: int, leaf: bytes) -> list[bytes]:
    """Append a leaf to the full subtrees on the right edge; returns the inner nodes that it completed."""
    completed = []
    node = leaf
    while index & 1:
        node = tree.node_hash(stack.pop(), node)
        completed.append(node)
        index >>= 1
    stack.append(node)
    return completed


def root(stack: list[bytes]) -> bytes:
    """The root over those subtrees."""
    if not stack:
        return tree.EMPTY_ROOT
    node = stack[-1]
    for left in stack[-2::-1]:
        node = tree.node_hash(left, node)
    return node


def _all(connection: Connection, size: int) -> Iterator[str]:
    for start in range(0, size, AT_A_TIME):
        yield from proofs.leaf_hashes(connection, start, min(start + AT_A_TIME, size))


def _document(path: Path) -> Any:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CheckpointError(f"{path} is not JSON") from None
    error = next(iter(schemas.validator("log-checkpoint").iter_errors(document)), None)
    if error is not None:
        raise CheckpointError(f"{path} is no checkpoint: {error.message[:200]}")
    return document


def _leaf_hashes(path: Path, head: Mapping[str, Any]) -> tuple[str, ...]:
    found = tuple(path.read_text(encoding="ascii").split())
    if len(found) < head["size"]:
        raise CheckpointError(f"{path} holds {len(found)} hashes, the checkpoint is over {head['size']}")
    found = found[: head["size"]]  # a longer one was written for a later checkpoint, which then was not
    try:
        top = root_of(found)
    except ValueError:
        raise CheckpointError(f"{path} holds something else than hashes in hex") from None
    if top != head["root_hash"]:
        raise CheckpointError(f"{path} is not the list that the checkpoint is over")
    return found
