"""How a fault is built into a good system: a transport that spoils what it sends or hears, and a witness of it.

A fault counts as found only by the check that is named for it, on an exchange where it was active: the witness notes
what the fault touched. A crash of the stand-in is no fault found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from offcampus_sdk.exchange import Answer, Reached
from offcampus_sdk.transport import BATCH_TIMEOUT, TIMEOUT, Transport
from offcampus_spec.operations import Operation

from offcampus_conformance.record import Exchange

Headers = dict[str, str]
Sent = tuple[str, Headers, bytes]


@dataclass
class Witness:
    """What a fault touched: operations with the digest of the body, labels of deliveries, or actions."""

    touched: set[str] = field(default_factory=set)

    def saw(self, operation_id: str, content: bytes = b"") -> None:
        """The fault was active in a request with this body."""
        self.touched.add(f"{operation_id} {hashlib.sha256(content).hexdigest()}")

    def acted(self, what: str) -> None:
        """The fault was active in all requests of an operation, in an action or at a delivery."""
        self.touched.add(what)

    def on(self, exchange: Exchange) -> bool:
        """The fault was active on an exchange."""
        names = {
            f"{exchange.operation_id} {exchange.facts.get('body_digest')}", str(exchange.operation_id),
            str(exchange.facts.get("action")), exchange.label, str(exchange.facts.get("event")),
        }  # fmt: skip
        return bool(names & self.touched)


class Spoiled(Transport):
    """A transport with three places to go wrong: before signing, after signing, and at the answer."""

    witness: Witness = Witness()

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        """What goes wrong before an attempt is signed."""
        return url, headers, content

    def tamper(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        """What goes wrong after it was signed."""
        return headers, content

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        """What goes wrong with the answer."""
        return reached

    def _once(self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes) -> Reached:
        url, sent, body = self.spoil(operation, url, dict(headers), content)
        if operation.scope is not None:
            sent.setdefault("Authorization", f"Bearer {self._token()}")
        if operation.signed:
            self._sign(operation, url, sent, body)
        sent, body = self.tamper(operation, sent, body)
        timeout = BATCH_TIMEOUT if operation.batch else TIMEOUT
        return self.hear(operation, body, self._send(operation.method, url, sent, timeout, content=body))

    def mark(self, operation: Operation, content: bytes) -> None:
        """The fault is active in this request."""
        self.witness.saw(operation.operation_id, content)


def answer(status: int, document: Any, **headers: str) -> Answer:
    """An answer as a faulty system makes one up for itself."""
    return Answer(status, {"content-type": "application/json", **headers}, msgspec.json.encode(document))


def final(status: int = 422) -> Answer:
    """An answer after which nothing is tried again: how a system gives up."""
    return answer(status, {"type": "about:blank", "title": "gave up", "status": status, "code": "system.gave_up",
                           "request_id": "none"})  # fmt: skip


def with_witness(transport: type[Transport], witness: Witness) -> type[Transport]:
    """A transport type of one run, with its own witness."""
    return type(transport.__name__, (transport,), {"witness": witness})


@dataclass(frozen=True)
class Fault:
    """A named fault, what goes wrong, and the check that must name it."""

    name: str
    says_en: str
    killed_by: str
    build: Callable[..., Any]
    """Makes the faulty system: `build(good, witness)` gives a subclass of the good system's class."""
    alone: bool = False
    """It is about time: nothing else may run beside it."""
