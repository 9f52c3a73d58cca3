"""What a party may try on one order while others do: each finds what it can act on, draws one, acts, and notes it.

Own references are unique values, so that what took effect can be told apart afterwards.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Protocol

from offcampus_server.kernel.problems import Problem
from offcampus_server.registry import SWEEPS

from plan.ground import Site
from plan.linear import Event
from plan.story import Story

WEIGHTS = {
    "read": 16, "receipt": 4, "cancel": 2, "teach": 10, "confirm": 16, "dispute": 6, "rule": 6, "reverse": 4, "ask": 6,
    "approve": 8, "execute": 14, "fail": 4, "confirm_silent": 1, "agree_silent": 1, "pay_again": 1,
    "release_waiting": 1,
}  # fmt: skip
LATER = timedelta(days=30)
"""Sweeps look from so much later: whatever waits for silence or for another day is due."""
Target = tuple[str, dict[str, str], Any, int | None, tuple[Any, ...]]


@dataclass(frozen=True)
class Sent:
    """A request on its way; one without an operation is a worker's round."""

    name: str
    operation: str
    path: dict[str, str]
    body: Any
    if_match: int | None
    key: str
    given: tuple[Any, ...]
    called: float


class Door(Protocol):
    """A way to the platform: in this process or over HTTP."""

    def request(
        self, party: str, operation: str, path: dict[str, str], body: Any, if_match: int | None, key: str
    ) -> dict[str, Any]:
        """The body of the answer. Raises Problem, and TimeoutError or ConnectionError when nobody knows."""
        ...


@dataclass(frozen=True)
class Inside:
    """The platform in this process."""

    site: Site

    def request(
        self, party: str, operation: str, path: dict[str, str], body: Any, if_match: int | None, key: str
    ) -> dict[str, Any]:
        """Serve it here."""
        answer: dict[str, Any] = self.site.serve(party, operation, path, body, key, if_match).body
        return answer


@dataclass
class Player:
    """One process at one order."""

    number: int
    site: Site
    door: Door
    order_id: str
    payment_id: str
    random: Random
    prefix: str
    tell: Callable[[Any], None] = lambda _: None
    """Called with each event's beginning and end: what a parent knows when this process is killed."""
    made: int = 0

    def play(self, operations: int) -> list[Event]:
        """Try so many operations; those that find nothing to act on are not counted as events."""
        names = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=operations)
        found = []
        for name in names:
            if (event := self.act(name)) is not None:
                self.tell(event)
                found.append(event)
        return found

    def repeat(self, sent: Sent) -> Event:
        """Send again, under its key, what was sent before: its outcome is the first one's, whenever that was."""
        if not sent.operation:
            return Event(self.number, sent.name, (), sent.called, math.inf, "unknown")
        return self._ask(sent)

    def act(self, name: str) -> Event | None:
        """Try one."""
        if name in SWEEPS:
            return self._sweep(name)
        found = TARGETS[name](self)
        if found is None:
            return None
        operation, path, body, if_match, given = found
        key = f"key-{self.reference()}"
        sent = Sent(name, operation, path, body, if_match, key, given, time.monotonic())
        self.tell(sent)
        return self._ask(sent)

    def _ask(self, sent: Sent) -> Event:
        def became(outcome: str, *seen: Any) -> Event:
            return Event(self.number, sent.name, sent.given, sent.called, time.monotonic(), outcome, seen)

        try:
            answer = self.door.request(
                PARTY[sent.operation], sent.operation, sent.path, sent.body, sent.if_match, sent.key
            )
        except Problem as problem:
            doubtful = problem.status >= 500 or problem.code == "idempotency.in_progress"
            return became("unknown" if doubtful else problem.code)
        except OSError:
            return became("unknown")
        if "results" in answer and answer["results"][0]["outcome"] == "refused":
            return became(answer["results"][0]["problem"]["code"])
        return became("ok", *_seen(sent.operation, answer))

    def _sweep(self, name: str) -> Event | None:
        """A worker's round, later: nothing of it is answered, so what it did is judged by what is read afterwards."""
        later = self.site.opened_later(LATER)
        called = time.monotonic()
        self.tell(Sent(name, "", {}, None, None, "", (), called))
        try:
            later.platform.storage.write(lambda work: SWEEPS[name](work, 200))
        except Problem:
            return None  # it could not begin, and is tried again in the next round
        return Event(self.number, name, (), called, time.monotonic(), "ok")

    def reference(self) -> str:
        """A value that nobody else uses."""
        self.made += 1
        return f"{self.prefix}-{self.number}-{self.made}"

    def story(self) -> Story:
        """Documents of this order."""
        return Story(self.site, order_id=self.order_id, payment_id=self.payment_id)

    def pick(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """One of the rows."""
        rows = self.site.rows(statement, *values)
        return self.random.choice(rows) if rows else None


def _read(player: Player) -> Target | None:
    return "getOrder", {"order_id": player.order_id}, None, None, ()


def _receipt(player: Player) -> Target | None:
    (total,) = player.site.rows("SELECT total_fen FROM orders WHERE id = ?", player.order_id)[0]
    line = player.story().line("receipt", total, payment_id=player.payment_id, part_no=1)
    line |= {"external_id": player.reference(), "bank_reference": f"B-{player.reference()}"}
    return "reportCustodyMovements", {}, {"items": [line]}, None, ()


def _cancel(player: Player) -> Target | None:
    ((version,),) = player.site.rows("SELECT version FROM orders WHERE id = ?", player.order_id)
    return "cancelOrder", {"order_id": player.order_id}, {}, version, ()


def _teach(player: Player) -> Target | None:
    lesson = player.random.randrange(2, 16)
    document = player.story().record_document(lesson) | {"external_id": player.reference()}
    given = (document["external_id"], document["lesson_id"])
    return "reportConsumption", {}, {"items": [document]}, None, given


RECORDS = "SELECT id, external_id, version FROM consumption_records WHERE order_id = ? AND state = ? ORDER BY id"


def _of_record(operation: str, state: str, body: dict[str, Any]) -> Callable[[Player], Target | None]:
    def find(player: Player) -> Target | None:
        if (found := player.pick(RECORDS, player.order_id, state)) is None:
            return None
        return operation, {"consumption_record_id": found[0]}, body, found[2], (found[1],)

    return find


def _rule(player: Player) -> Target | None:
    if (found := player.pick(RECORDS, player.order_id, "disputed")) is None:
        return None
    ruling = player.random.choice(("uphold_parent", "uphold_institution"))
    body = {"ruling": ruling, "text": "裁定"}
    return "resolveDispute", {"consumption_record_id": found[0]}, body, found[2], (found[1], ruling)


def _reverse(player: Player) -> Target | None:
    query = (
        "SELECT id, external_id, document FROM consumption_records WHERE order_id = ? AND type = 'lesson' ORDER BY id"
    )
    if (found := player.pick(query, player.order_id)) is None:
        return None
    document = player.story().record_document(2) | {
        "external_id": player.reference(), "type": "reversal", "reverses": found[0],
    }  # fmt: skip
    del document["lesson_id"], document["teacher_id"]
    return "reportConsumption", {}, {"items": [document]}, None, (found[1],)


def _ask(player: Player) -> Target | None:
    body = player.story().refund_document() | {"external_id": player.reference()}
    return "requestRefund", {}, body, None, ()


def _approve(player: Player) -> Target | None:
    query = "SELECT id, version FROM refunds WHERE order_id = ? ORDER BY id"
    if (found := player.pick(query, player.order_id)) is None:
        return None
    return "approveRefund", {"refund_id": found[0]}, {}, found[1], found


TASKS = "SELECT id, kind, amount_fen FROM custody_instructions WHERE order_id = ? ORDER BY id"


def _execute(player: Player) -> Target | None:
    if (found := player.pick(TASKS, player.order_id)) is None:
        return None
    body = {"bank_reference": player.reference(), "executed_at": player.story().now}
    return "executeCustodyInstruction", {"instruction_id": found[0]}, body, None, found


def _fail(player: Player) -> Target | None:
    releases = TASKS.replace("WHERE", "WHERE kind = 'release' AND")  # what becomes of a failed refund: not in the model
    if (found := player.pick(releases, player.order_id)) is None:
        return None
    body = {"code": "account_closed", "text": player.reference()}
    return "failCustodyInstruction", {"instruction_id": found[0]}, body, None, found


TARGETS: dict[str, Callable[[Player], Target | None]] = {
    "read": _read, "receipt": _receipt, "cancel": _cancel, "teach": _teach, "rule": _rule, "reverse": _reverse,
    "confirm": _of_record("confirmConsumption", "reported", {}),
    "dispute": _of_record("disputeConsumption", "reported", {"reason": "not_taught"}), "ask": _ask,
    "approve": _approve, "execute": _execute, "fail": _fail,
}  # fmt: skip
PARTY = {
    "getOrder": "vendor", "reportCustodyMovements": "bank", "cancelOrder": "vendor", "reportConsumption": "vendor",
    "confirmConsumption": "guardian_app", "disputeConsumption": "guardian_app", "resolveDispute": "authority",
    "requestRefund": "guardian_app", "approveRefund": "vendor", "executeCustodyInstruction": "bank",
    "failCustodyInstruction": "bank",
}  # fmt: skip


def _seen(operation: str, answer: dict[str, Any]) -> tuple[Any, ...]:
    if operation == "getOrder":
        names = ("state", "paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen",
                 "pending_refund_fen", "consumed_class_hours_centi")  # fmt: skip
        return tuple(answer[name] for name in names)
    if operation in ("requestRefund", "approveRefund"):
        return answer["state"], answer["amount_fen"], answer["version"]
    return ()
