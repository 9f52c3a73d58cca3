"""A witness: keeps the newest head of a platform's log that it has seen, and takes no other history from then on.

Whoever runs one (a vendor, a bank, a parents' association, another province) holds the platform to what it has signed.
The first head is taken as it comes, under keys that should have come on another way; after that every head must
contain everything that was seen. The file is replaced in one step and never begun anew by itself: to forget a history
is a decision of the person who removes the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from offcampus_sdk.client import Client
from offcampus_sdk.proofs import ProofError, digest, verify_consistency, verify_head, verify_proofs

Head = Mapping[str, Any]


class Log(Protocol):
    """What a witness asks of a platform."""

    def log_checkpoint(self) -> Mapping[str, Any]:
        """The newest head with its key."""

    def log_consistency(self, first: int, second: int) -> Mapping[str, Any]:
        """That one tree begins with another."""

    def order_proofs(self, order_id: str) -> Iterator[Mapping[str, Any]]:
        """The proofs of an order, page by page."""


class PlatformLog:
    """The log of the platform that a client talks to."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def log_checkpoint(self) -> Mapping[str, Any]:
        """The newest head with its key."""
        return self._client.log.get_checkpoint()

    def log_consistency(self, first: int, second: int) -> Mapping[str, Any]:
        """That one tree begins with another."""
        return self._client.log.get_consistency(first=first, second=second)

    def order_proofs(self, order_id: str) -> Iterator[Mapping[str, Any]]:
        """The proofs of an order, page by page."""
        after = 0
        while True:
            page = self._client.orders.get_proofs(order_id, after=after, limit=500)
            yield page
            if not page["more"]:
                return
            after = page["entries"][-1]["leaf"]["chain"]["no"]


class TwoHistories(ProofError):
    """The platform signed two heads that belong to no one history. `kept` and `shown` are the evidence: keep both."""

    def __init__(self, reason: str, kept: Head, shown: Head) -> None:
        super().__init__(f"two histories: {reason}")
        self.kept, self.shown = kept, shown


class Witness:
    """Watches one log.

    Args:
        log: the platform.
        file: where the newest head is kept.
        origin: the platform's issuer.
        keys: the platform's public keys (JWKs), best from another place than the platform's own answer.
    """

    def __init__(self, log: Log, file: Path, origin: str, keys: Sequence[Mapping[str, Any]]) -> None:
        self.log, self.file, self.origin, self.keys = log, file, origin, keys

    def kept(self) -> Head | None:
        """The head that is kept. Raises ProofError when the file holds something else."""
        if not self.file.exists():
            return None
        try:
            head = json.loads(self.file.read_text(encoding="utf-8"))["head"]
        except (ValueError, KeyError, TypeError):
            raise ProofError(f"{self.file} holds no head; it is not begun anew by itself") from None
        verify_head(head, self.keys, self.origin)
        return dict(head)

    def observe(self) -> Head:
        """Look at the newest head; returns the one that is kept afterwards.

        Raises ProofError when it does not hold, TwoHistories when it does not contain what was seen.
        """
        shown = self.log.log_checkpoint().get("head")
        if not isinstance(shown, Mapping):
            raise ProofError("the checkpoint holds no head")
        return self.meet(shown)

    def meet(self, shown: Head) -> Head:
        """Take a head, wherever it came from; an older one must be contained in the one that is kept."""
        verify_head(shown, self.keys, self.origin)
        kept = self.kept()
        if kept is None:
            return self._keep(shown)
        older, newer = sorted((kept, shown), key=lambda head: int(head["size"]))
        try:
            self._require_one_history(older, newer)
        except ProofError as error:
            raise TwoHistories(str(error), kept, shown) from None
        return self._keep(shown) if shown["size"] > kept["size"] else kept

    def prove_order(self, order_id: str) -> list[Mapping[str, Any]]:
        """Every fact of an order, each proven to be in the one history; the oldest first. Raises ProofError."""
        leaves: list[Mapping[str, Any]] = []
        for page in self.log.order_proofs(order_id):
            if page.get("subject") != order_id:
                raise ProofError(f"asked for {order_id}, the answer is about {page.get('subject')!r}")
            last = leaves[-1] if leaves else None
            leaves += verify_proofs(page, self.keys, self.origin, after=last)
            self.meet(page["head"])
        return leaves

    def _require_one_history(self, older: Head, newer: Head) -> None:
        path: list[bytes] = []
        if older["size"] != newer["size"]:
            answer = self.log.log_consistency(older["size"], newer["size"])
            texts = answer.get("path")
            if not isinstance(texts, list):
                raise ProofError("the consistency proof holds no path")
            path = [digest(text) for text in texts]
        roots = digest(older["root_hash"]), digest(newer["root_hash"])
        verify_consistency(older["size"], newer["size"], path, *roots)

    def _keep(self, head: Head) -> Head:
        temporary = self.file.with_name(self.file.name + ".new")
        temporary.write_text(json.dumps({"head": dict(head)}, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.file)
        return head
