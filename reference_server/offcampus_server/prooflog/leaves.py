"""What a leaf says: one fact of a row, in canonical bytes (RFC 8785), without a person in it. Pure.

- `row` holds the business columns of the fact; what is NULL is left out, so a new empty column changes no old leaf;
- a personal part appears as an HMAC under a salt of the row's own: destroying the salt leaves the leaf, and every
  proof, as they were, and nobody can try guesses against it any more;
- `chain` numbers the facts of one order and points at the one before: whoever holds the newest can show that none
  between was left out;
- `v` is the version of all this.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from offcampus_server.kernel.facts import Fact
from offcampus_server.prooflog import tree

VERSION = 1


@dataclass(frozen=True)
class Chain:
    """The place of a fact among those of its subject; `previous` is the leaf hash (hex) of the one before."""

    subject: str
    no: int
    previous: str | None

    def to_json(self) -> dict[str, Any]:
        """As it stands in the leaf."""
        first = {"subject": self.subject, "no": self.no}
        return first if self.previous is None else {**first, "previous": self.previous}


def leaf(fact: Fact, commitment: str | None, chain: Chain | None) -> dict[str, Any]:
    """The leaf of a fact (schema `log-leaf`)."""
    document: dict[str, Any] = {"v": VERSION, "type": f"{fact.source}.{fact.name}", "row": dict(fact.row)}
    if commitment is not None:
        document["personal"] = commitment
    if chain is not None:
        document["chain"] = chain.to_json()
    return document


def hashed(document: Mapping[str, Any]) -> bytes:
    """The leaf's hash."""
    return tree.leaf_hash(rfc8785.dumps(dict(document)))


def fresh_salt() -> str:
    """A salt of 128 bits, in hex."""
    return secrets.token_hex(16)


def commit(salt: str, personal: Any) -> str:
    """The commitment to a personal part."""
    return hmac.new(bytes.fromhex(salt), rfc8785.dumps(personal), hashlib.sha256).hexdigest()
