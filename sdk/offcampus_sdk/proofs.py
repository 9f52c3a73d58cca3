"""Proofs of the platform's log, checked without trusting the platform (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

Every function returns nothing when a proof holds and raises `ProofError` when it does not. What is refused before any
hash is computed: a tree of no leaves, an index outside the tree, a hash of another length than 32 bytes, a path that
is too short or too long, a hash function that we do not know.

As a command it checks a file that holds an order's proofs, offline:
    python -m offcampus_sdk.proofs proofs.json --keys jwks.json
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from offcampus_sdk.errors import OffcampusError

HASH_ID = "sha-256"
HEAD_TYPE = "offcampus.log-head.v1"
LEAF_VERSION = 1
LARGEST_SIZE = 2**53 - 1


class ProofError(OffcampusError):
    """A proof does not hold. The message says what was expected and what came."""


def leaf_hash(leaf: Mapping[str, Any]) -> bytes:
    """The hash of a leaf as the standard writes it: SHA-256 over 0x00 and the leaf's RFC 8785 form."""
    if leaf.get("v") != LEAF_VERSION:
        raise ProofError(f"the leaf has version {leaf.get('v')!r}; version {LEAF_VERSION} is known here")
    try:
        return hashlib.sha256(b"\x00" + rfc8785.dumps(dict(leaf))).digest()
    except rfc8785.CanonicalizationError as error:
        raise ProofError(f"the leaf has no canonical form: {error}") from None


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """A leaf hash stands at `index` in the tree of `size` leaves with this root. Raises ProofError."""
    _require_size(size)
    if type(index) is not int or not 0 <= index < size:
        raise ProofError(f"index {index!r} is outside a tree of {size}")
    _require_hashes([leaf, root, *path])
    node, last, here = leaf, size - 1, index
    for sibling in path:
        if last == 0:
            raise ProofError(f"the path is too long: {len(path)} hashes for a tree of {size}")
        if here & 1 or here == last:
            node = _node(sibling, node)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            node = _node(node, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofError(f"the path is too short: {len(path)} hashes for a tree of {size}")
    if node != root:
        raise ProofError(f"the path leads to {node.hex()}, the head says {root.hex()}")


def verify_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """The tree of `second` leaves begins with the tree of `first`: nothing before was changed. Raises ProofError."""
    _require_size(first)
    _require_size(second)
    if first > second:
        raise ProofError(f"the log has shrunk from {first} to {second}")
    _require_hashes([first_root, second_root, *path])
    if first == second:
        if path:
            raise ProofError(f"two trees of {first} need no path; {len(path)} hashes came")
        if first_root != second_root:
            raise ProofError(f"two histories: {first} entries with {first_root.hex()} and with {second_root.hex()}")
        return
    if not path:
        raise ProofError(f"the path from {first} to {second} is empty")
    rest = list(path) if first & (first - 1) else [first_root, *path]
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            raise ProofError(f"the path is too long: {len(path)} hashes from {first} to {second}")
        if here & 1 or here == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = _node(new, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofError(f"the path is too short: {len(path)} hashes from {first} to {second}")
    if old != first_root:
        raise ProofError(f"the path leads to {old.hex()} at {first} entries, where {first_root.hex()} was known")
    if new != second_root:
        raise ProofError(f"the path leads to {new.hex()} at {second} entries, the head says {second_root.hex()}")


def verify_head(head: Mapping[str, Any], keys: Sequence[Mapping[str, Any]], origin: str | None = None) -> None:
    """A tree head is signed by one of the platform's keys. Raises ProofError.

    Args:
        keys: the platform's public keys as JWKs, from a place that the answer did not come from when it matters.
        origin: the platform's issuer; a head of another log does not hold here.
    """
    if head.get("type") != HEAD_TYPE:
        raise ProofError(f"a head has the type {HEAD_TYPE}, not {head.get('type')!r}")
    if head.get("hash_id") != HASH_ID:
        raise ProofError(f"the hash function is {head.get('hash_id')!r}; {HASH_ID} is known here")
    _require_size(head.get("size"))
    digest(head.get("root_hash"))
    if origin is not None and head.get("origin") != origin:
        raise ProofError(f"the head is of {head.get('origin')!r}, expected was {origin!r}")
    signed = {name: value for name, value in head.items() if name != "signature"}
    try:
        signature = base64.urlsafe_b64decode(str(head.get("signature")) + "==")
        _public(keys, head.get("key_id")).verify(signature, rfc8785.dumps(signed))
    except (InvalidSignature, ValueError):
        raise ProofError("the head's signature does not hold under the key that it names") from None


def verify_entry(entry: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    """A leaf with its path (schema `log-inclusion`) is in the tree of a head. Raises ProofError."""
    path = [digest(text) for text in _list(entry, "path")]
    leaf = entry.get("leaf")
    if not isinstance(leaf, Mapping):
        raise ProofError("the entry holds no leaf")
    verify_inclusion(entry.get("index", -1), head["size"], leaf_hash(leaf), path, digest(head["root_hash"]))


def verify_proofs(
    document: Mapping[str, Any],
    keys: Sequence[Mapping[str, Any]],
    origin: str | None = None,
    *,
    after: Mapping[str, Any] | None = None,
) -> list[Mapping[str, Any]]:
    """Check the proofs of an order (schema `log-proofs`): head, every leaf, the chain between them.

    The chain begins with the first fact of the order and leaves none out; only facts newer than the last one shown
    could be missing, and those are named under `waiting` while they are not in a signed tree.

    Args:
        after: the last leaf of the page before, already proven.

    Returns: the leaves, oldest first. Raises ProofError.
    """
    leaves = _proven(document, keys, origin)
    number, previous = (after["chain"]["no"], leaf_hash(after).hex()) if after else (0, None)
    for leaf in leaves:
        number += 1
        chain = leaf.get("chain")
        if not isinstance(chain, Mapping) or chain.get("subject") != document.get("subject"):
            raise ProofError(f"fact {number} does not belong to {document.get('subject')!r}: {chain!r}")
        if chain.get("no") != number or chain.get("previous") != previous:
            raise ProofError(f"fact {number} is not the one that follows: the chain says number {chain.get('no')!r}")
        previous = leaf_hash(leaf).hex()
    return leaves


def verify_instruction(
    document: Mapping[str, Any], keys: Sequence[Mapping[str, Any]], origin: str | None = None
) -> list[Mapping[str, Any]]:
    """Check the proofs of one instruction: each leaf is in the tree and speaks of it. Raises ProofError."""
    leaves = _proven(document, keys, origin)
    transfer: Any = None
    for leaf in leaves:
        if leaf["type"] == "transfer.created" and leaf["row"].get("instruction_id") == document.get("subject"):
            transfer = leaf["row"]["id"]
        elif leaf["type"] != "transfer.resolved" or leaf["row"].get("id") != transfer:
            raise ProofError(f"a leaf speaks of something else than {document.get('subject')!r}")
    return leaves


def agree(statement: Mapping[str, Any], leaves: Sequence[Mapping[str, Any]]) -> list[str]:
    """Compare an order's statement (schema `order-statement`) with proven leaves; each difference in words.

    A line whose facts are not in the log yet is not a difference: it is what `waiting` names.
    """
    made = {leaf["row"]["id"]: leaf["row"] for leaf in leaves if leaf["type"] == "transfer.created"}
    ended = {leaf["row"]["id"]: leaf["row"]["state"] for leaf in leaves if leaf["type"] == "transfer.resolved"}
    lines = {line["id"]: line for line in statement["lines"]}
    found = [f"{id} is in the log and not in the statement" for id in made.keys() - lines.keys()]
    for id, line in lines.items():
        for name in ("kind", "amount_fen"):
            if id in made and made[id][name] != line[name]:
                found.append(f"{id}: the statement says {name} {line[name]!r}, the log {made[id][name]!r}")
        if id in ended and ended[id] != line["state"]:
            found.append(f"{id}: the statement says {line['state']!r}, the log {ended[id]!r}")
    return sorted(found)


def digest(text: Any) -> bytes:
    """A hash written as 64 lower-case hex digits. Raises ProofError for anything else."""
    if not isinstance(text, str) or len(text) != 64 or text.strip("0123456789abcdef"):
        raise ProofError(f"a hash is 64 lower-case hex digits, not {text!r}")
    return bytes.fromhex(text)


def _proven(
    document: Mapping[str, Any], keys: Sequence[Mapping[str, Any]], origin: str | None
) -> list[Mapping[str, Any]]:
    head = document.get("head")
    if not isinstance(head, Mapping):
        raise ProofError("the document holds no head: nothing of it is signed yet")
    verify_head(head, keys, origin)
    found = _list(document, "entries")
    for entry in found:
        verify_entry(entry, head)
    return [entry["leaf"] for entry in found]


def _public(keys: Sequence[Mapping[str, Any]], key_id: Any) -> Ed25519PublicKey:
    for jwk in keys:
        try:
            key = OKPKey.import_key(dict(jwk))
        except (JoseError, ValueError):
            continue  # a key of another kind is not the one
        if key.thumbprint() == key_id and isinstance(key.public_key, Ed25519PublicKey):
            return key.public_key
    raise ProofError(f"none of the {len(keys)} known keys has the id {key_id!r}")


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise ProofError(f"{name} must be a list")
    return value


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _require_size(size: Any) -> None:
    if type(size) is not int or not 0 < size <= LARGEST_SIZE:
        raise ProofError(f"a tree has 1 to {LARGEST_SIZE} leaves, not {size!r}")


def _require_hashes(hashes: Sequence[bytes]) -> None:
    for found in hashes:
        if len(found) != 32:
            raise ProofError(f"a hash has 32 bytes, not {len(found)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a file of proofs, and a statement against it; 0 when all holds, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m offcampus_sdk.proofs", description="Check log proofs offline.")
    parser.add_argument("proofs", type=Path, help="what getOrderProofs answered")
    parser.add_argument("--keys", type=Path, required=True, help="the platform's JWKS, from a place of your own")
    parser.add_argument("--statement", type=Path, help="what getOrderStatement answered, to be compared")
    given = parser.parse_args(arguments)
    document, keys = json.loads(given.proofs.read_bytes()), json.loads(given.keys.read_bytes())["keys"]
    try:
        leaves = verify_proofs(document, keys)
    except ProofError as error:
        print(f"does not hold: {error}")
        return 1
    differences = agree(json.loads(given.statement.read_bytes()), leaves) if given.statement else []
    for line in differences:
        print(f"differs: {line}")
    head = document["head"]
    print(f"{len(leaves)} facts of {document['subject']} are among {head['size']}, signed at {head['signed_at']}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
