"""Operations of the provable log. What is public are sizes, roots, paths and hashes: none tells what a leaf says."""

from __future__ import annotations

from sqlalchemy import RowMapping

from offcampus_server.kernel.clock import security_instant
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.problems import Problem, not_found, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.prooflog import heads, proofs

SHORTLY = {"Cache-Control": "public, max-age=5"}
FOREVER = {"Cache-Control": "public, max-age=86400, immutable"}
"""What lies between two sizes never changes."""


def make_handlers(keyring: Keyring) -> Handlers:
    """The public operations; they answer with the platform's keys."""
    handlers = Handlers()

    @handlers("getLogCheckpoint")
    def get_log_checkpoint(call: Call, work: Work) -> Answer:
        """The newest signed head with its key (M-14.1)."""
        return Answer(200, heads.checkpoint(_newest(work), keyring, security_instant()), headers=SHORTLY)

    @handlers("getLogConsistency")
    def get_log_consistency(call: Call, work: Work) -> Answer:
        """That one tree begins with another (M-14.1)."""
        first, second, size = call.query["first"], call.query["second"], _newest(work)["size"]
        if first > second or second > size:
            detail = f"first is at most second, second at most {size}, the size of the newest signed head"
            raise Problem("request.query", detail, [violation("request.query", "/second", given=second, allowed=size)])
        return Answer(200, proofs.consistency(work.connection, first, second), headers=FOREVER)

    @handlers("getLogLeafHashes")
    def get_log_leaf_hashes(call: Call, work: Work) -> Answer:
        """Leaf hashes for whoever keeps the whole tree (M-14.1)."""
        start, size = call.query["start"], _newest(work)["size"]
        hashes = proofs.leaf_hashes(work.connection, start, min(start + call.query.get("limit", 500), size))
        return Answer(200, {"start": start, "size": size, "hash_id": "sha-256", "hashes": hashes}, headers=SHORTLY)

    return handlers


def _newest(work: Work) -> RowMapping:
    head = heads.newest(work.connection)
    if head is None:
        raise not_found()
    return head
