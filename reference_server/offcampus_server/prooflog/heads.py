"""Signed tree heads: size, root and time under the platform's Ed25519 key. What a witness holds against us.

The signature is over the head without its signature, in RFC 8785 form; `type` keeps it from being taken for anything
else that the key signs. Before a new head is signed, the old one is worked out again from the stored tree: a tree
that no longer contains what was signed is not signed again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, RowMapping, insert, select

from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.observe import log
from offcampus_server.kernel.unit_of_work import Storage, Work
from offcampus_server.prooflog import nodes, sequencer, tree
from offcampus_server.prooflog.tables import heads

TYPE = "offcampus.log-head.v1"


class TreeBroken(Exception):
    """The stored tree no longer contains what a signed head says. `offcampus-server ledger verify` tells more."""


def run(storage: Storage, keyring: Keyring, now: datetime, every_s: float = 0) -> int:
    """Sign a head when the log has grown and the newest head is old enough; says how many were signed.

    Args:
        now: real time: what is signed is held against us, so the business clock has no say in it.

    Raises TreeBroken.
    """
    return storage.write(lambda work: _sign(work, keyring, now, every_s))


def newest(connection: Connection) -> RowMapping | None:
    """The newest head, if there is one."""
    return connection.execute(select(heads).order_by(heads.c.size.desc()).limit(1)).mappings().first()


def to_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A head as it is answered (schema `log-head`)."""
    return {**statement(row), "signature": row["signature"]}


def statement(row: Mapping[Any, Any]) -> dict[str, Any]:
    """What a head's signature is over."""
    return {
        "type": TYPE, "origin": row["origin"], "size": row["size"], "hash_id": row["hash_id"],
        "root_hash": row["root_hash"], "signed_at": rfc3339(row["signed_at"]), "key_id": row["key_id"],
    }  # fmt: skip


def checkpoint(row: Mapping[Any, Any], keyring: Keyring, now: datetime) -> dict[str, Any]:
    """A head with its key, to be kept outside (schema `log-checkpoint`). Raises LookupError when the key is gone."""
    key = keyring.find(row["key_id"])
    if key is None:
        raise LookupError(f"the key file no longer holds {row['key_id']}, which signed the newest head")
    public = key.as_dict(private=False)
    kept = {name: public[name] for name in ("kty", "crv", "x")}
    return {"head": to_json(row), "key": kept, "taken_at": rfc3339(now)}


def holds(row: Mapping[Any, Any], keyring: Keyring) -> bool:
    """Is a head signed by the key that it names, and is that key one of ours?"""
    key = keyring.find(row["key_id"])
    if key is None or not isinstance(key.public_key, Ed25519PublicKey):
        return False
    try:
        signature = base64.urlsafe_b64decode(row["signature"] + "==")
        key.public_key.verify(signature, rfc8785.dumps(statement(row)))
    except (InvalidSignature, ValueError):
        return False
    return True


def _sign(work: Work, keyring: Keyring, now: datetime, every_s: float) -> int:
    size, last = sequencer.size(work.connection), newest(work.connection)
    if size == 0 or (
        last is not None and (last["size"] >= size or now - last["signed_at"] < timedelta(seconds=every_s))
    ):
        return 0
    if last is not None:
        _require_kept(work.connection, last)
    root = nodes.computed(work.connection, lambda lookup: tree.root(size, lookup))
    row = {
        "size": size, "origin": work.source, "hash_id": tree.HASH_ID, "root_hash": root.hex(),
        "signed_at": now, "key_id": str(keyring.current.thumbprint()),
    }  # fmt: skip
    private = keyring.current.private_key
    assert isinstance(private, Ed25519PrivateKey)
    signature = base64.urlsafe_b64encode(private.sign(rfc8785.dumps(statement(row)))).decode().rstrip("=")
    work.connection.execute(insert(heads), {**row, "signature": signature})
    return 1


def _require_kept(connection: Connection, last: RowMapping) -> None:
    try:
        root = nodes.computed(connection, lambda lookup: tree.root(last["size"], lookup)).hex()
    except LookupError:
        root = ""
    if root != last["root_hash"]:
        log().error("tree_broken", size=last["size"])
        raise TreeBroken(f"the stored tree of {last['size']} entries is not the one that was signed")
