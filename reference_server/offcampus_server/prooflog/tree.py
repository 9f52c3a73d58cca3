"""The Merkle tree of RFC 9162 section 2.1, over SHA-256: roots, inclusion paths, consistency paths. Pure.

Only full subtrees are ever stored. A node is named (level, index): it stands over the leaves
[index * 2**level, (index + 1) * 2**level); level 0 are the leaves. Whoever calls hands in `Lookup`, which finds a
stored node; everything on the right edge is worked out from those.

The verifying half is the SDK's, written separately: a proof is never checked by the code that made it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

HASH_ID = "sha-256"
"""Stored beside each digest: another hash would be another identifier, never the same column with another meaning."""

Node = tuple[int, int]
Lookup = Callable[[Node], bytes]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf; its prefix keeps an inner node from passing for a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed(index: int, leaf: bytes, lookup: Lookup) -> list[bytes]:
    """The inner nodes that become full when the leaf at `index` is appended, the lowest first."""
    found: list[bytes] = []
    level, node = 0, leaf
    while index >> level & 1:
        node = node_hash(lookup((level, (index >> level) - 1)), node)
        found.append(node)
        level += 1
    return found


def position(node: Node) -> tuple[int, int]:
    """Which leaf completed an inner node, and as which of those that it completed."""
    level, index = node
    return ((index + 1) << level) - 1, level - 1


def root(size: int, lookup: Lookup) -> bytes:
    """The root over the first `size` leaves."""
    return _over(0, size, lookup) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, lookup: Lookup) -> list[bytes]:
    """The path from a leaf to the root over `size` leaves (section 2.1.3.1). Raises ValueError outside the tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_over(middle, end, lookup))
            end = middle
        else:
            path.append(_over(start, middle, lookup))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int, lookup: Lookup) -> list[bytes]:
    """What shows that the tree of `second` leaves begins with the tree of `first` (section 2.1.4.1).

    Raises ValueError unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise ValueError(f"no consistency between {first} and {second}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_over(middle, end, lookup))
            end = middle
        else:
            path.append(_over(start, middle, lookup))
            start, whole = middle, False
    return (path if whole else [*path, _over(start, end, lookup)])[::-1]


def needed(work: Callable[[Lookup], object]) -> set[Node]:
    """The stored nodes that a computation will ask for, so that they can be read in one go."""
    asked: set[Node] = set()

    def note(node: Node) -> bytes:
        asked.add(node)
        return EMPTY_ROOT

    work(note)
    return asked


def _over(start: int, end: int, lookup: Lookup) -> bytes:
    """The hash over the leaves [start, end), which is a node of some tree: start is a multiple of its split."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return lookup((level, start >> level))
    middle = start + _split(width)
    return node_hash(_over(start, middle, lookup), _over(middle, end, lookup))


def _split(width: int) -> int:
    """The largest power of two below a width."""
    return 1 << (width - 1).bit_length() - 1
