"""Stored nodes of the tree, read in one go for a computation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from sqlalchemy import Connection, select

from offcampus_server.prooflog import tree
from offcampus_server.prooflog.tables import entries
from offcampus_server.prooflog.tree import Lookup, Node

Result = TypeVar("Result")
HEX = 64
AT_ONCE = 500


def computed(connection: Connection, work: Callable[[Lookup], Result]) -> Result:
    """Do a computation over the stored tree. Raises LookupError when a node that it needs is not there."""
    return work(read(connection, tree.needed(work)).__getitem__)


def read(connection: Connection, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
    """These nodes, as far as they are stored."""
    places = {node: tree.position(node) if node[0] else (node[1], -1) for node in wanted}
    stored = _entries(connection, sorted({seq for seq, _ in places.values()}))
    found: dict[Node, bytes] = {}
    for node, (seq, number) in places.items():
        leaf, nodes = stored.get(seq, ("", ""))
        text = leaf if number < 0 else nodes[number * HEX : (number + 1) * HEX]
        if len(text) == HEX:
            found[node] = bytes.fromhex(text)
    return found


def _entries(connection: Connection, numbers: list[int]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(numbers), AT_ONCE):
        query = select(entries.c.seq, entries.c.leaf_hash, entries.c.nodes)
        rows = connection.execute(query.where(entries.c.seq.in_(numbers[start : start + AT_ONCE])))
        found |= {row.seq: (row.leaf_hash, row.nodes) for row in rows}
    return found
