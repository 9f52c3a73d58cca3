"""Bugs planted on purpose: our own money code with one thing wrong, to show that the simulator would find it.

Each bug names a function, a piece of its source and what stands there instead; planting compiles the changed function
in its own module. When the code moves on and the piece is no longer there, planting raises: the bug must follow.
"""

from __future__ import annotations

import importlib
import inspect
import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Bug:
    """One planted bug; `finds` are beginnings of the invariants that may find it."""

    name: str
    where: str
    was: str
    now: str
    tells: str
    finds: tuple[str, ...]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The bug is in the code as long as the context lasts. Raises LookupError when the code has moved on."""
        module, owner, name = self._place()
        raw = inspect.getattr_static(owner, name)
        source = self.source().replace(self.was, self.now, 1)
        made: dict[str, Any] = {}
        exec(compile(f"from __future__ import annotations\n{source}", f"<{self.name}>", "exec"), vars(module), made)  # noqa: S102
        changed = made[name]
        with mock.patch.object(owner, name, property(changed) if isinstance(raw, property) else changed):
            yield

    def source(self) -> str:
        """The function as it stands. Raises LookupError when it no longer says what the bug changes."""
        _, owner, name = self._place()
        raw = inspect.getattr_static(owner, name)
        function: Any = raw.fget if isinstance(raw, property) else raw
        source = textwrap.dedent(inspect.getsource(function))
        if self.was not in source:
            raise LookupError(f"{self.name}: {self.where} no longer says {self.was!r}")
        return source[source.index("def ") :]

    def _place(self) -> tuple[ModuleType, Any, str]:
        module_name, _, path = self.where.partition(":")
        module = importlib.import_module(f"offcampus_server.{module_name}")
        owner: Any = module
        *outer, name = path.split(".")
        for step in outer:
            owner = getattr(owner, step)
        return module, owner, name


OURS = "no request ends in a fault of ours"
REFUSED = (OURS, "verify", "a balance is the sum", "custody of an order")
MONEY_OUT = (
    "the rules never hold",
    "a refund is what",
    "released follows consumption",
    "what is earned",
    "verify",
    OURS,
    "custody of an order",
)

_ALL = [
    Bug("post-moves-nothing", "ledger.service:post", "row.amount_fen, resolved=True", "0, resolved=True",
        "a posted transfer leaves the balances as they were", ("a balance is the sum of its transfers",)),
    Bug("post-twice-as-much", "ledger.service:post", "row.amount_fen, resolved", "2 * row.amount_fen, resolved",
        "a posted transfer takes twice its sum", ("a balance is the sum of its transfers", "verify", OURS)),
    Bug("post-keeps-the-hold", "ledger.service:_deltas", "found[debit][\"debits_pending\"] = -fen", "pass",
        "a posted transfer stays held as well", ("a balance is the sum of its transfers", "verify", OURS)),
    Bug("void-frees-nothing", "ledger.service:_free", "[\"debits_pending\"] -=", "[\"debits_pending\"] -= 0 *",
        "a voided hold is never free again", ("a balance is the sum of its transfers",)),
    Bug("void-frees-twice", "ledger.service:_free", "[\"debits_pending\"] -=", "[\"debits_pending\"] -= 2 *",
        "a voided hold frees twice its sum", ("a balance is the sum of its transfers", "verify", OURS)),
    Bug("credit-a-fen-short", "ledger.service:_deltas", "{f\"credits_{state}\": fen}", "{f\"credits_{state}\": fen - 1}",
        "an account gets a fen less than left the other", ("a balance is the sum of its transfers", "verify", OURS)),
    Bug("debit-a-fen-short", "ledger.service:_deltas", "{f\"debits_{state}\": fen}", "{f\"debits_{state}\": fen - 1}",
        "an account gives a fen less than the other gets", ("a balance is the sum of its transfers", "verify", OURS)),
    Bug("rounding-up", "orders.decisions:earned_fen", "return earned", "return (consumed_centi > 0) + earned",
        "what is earned is a fen too much", MONEY_OUT),
    Bug("rounding-down", "orders.decisions:earned_fen", "return earned", "return -(consumed_centi > 0) + earned",
        "what is earned is a fen too little", ("what is earned is asked for", "a refund is what")),
    Bug("hours-shifted", "orders.decisions:earned_fen", "min(consumed_centi, carrying_centi)",
        "min(consumed_centi + 1, carrying_centi)", "a hundredth of an hour is given away", MONEY_OUT),
    Bug("gifts-forgotten", "orders.decisions:hours_that_carry_price", "class_hours_centi + gift_hours_centi if",
        "class_hours_centi if", "gift hours carry none of the price", ("released follows consumption", OURS)),
    Bug("release-of-the-reported", "funds.releases:release_due", "release_plans.most(order.plan, where, work.now.date())",
        "order.earned_fen(order.reported_centi)", "what is only reported is released", MONEY_OUT),
    Bug("release-forgets-the-pending", "funds.releases:release_due", "sums.released + sums.pending_release",
        "sums.released", "what is on its way out is asked for again", MONEY_OUT),
    Bug("release-forgets-the-released", "funds.releases:release_due", "sums.released + sums.pending_release",
        "sums.pending_release", "what was released is released again", MONEY_OUT),
    Bug("release-from-frozen", "funds.releases:release_due", "from_open_only=True", "from_open_only=False",
        "a freeze stops nothing", ("frozen is frozen",)),
    Bug("release-does-not-wait", "funds.releases:release_due", "if asked < amount:", "if asked < 0:",
        "what a freeze holds up is forgotten", ("what is earned is asked for",)),
    Bug("failed-release-forgotten", "funds.service:failed_for_certain",
        "releases.wait_for_next_round(work, row[\"order_id\"])", "pass",
        "a failed release is never asked for again", ("what is earned is asked for",)),
    Bug("executed-is-voided", "funds.service:executed", "ledger.post(work, row[\"id\"], value_on)",
        "ledger.void(work, row[\"id\"])", "an executed instruction frees its money", ("verify", "what is earned")),
    Bug("failed-is-posted", "funds.certainty:make", "ledger.void(work, row[\"id\"])",
        "ledger.post(work, row[\"id\"], work.now.date())", "a failed instruction counts as paid",
        ("verify", "what a family is promised")),
    Bug("execution-not-posted", "funds.service:executed", "ledger.post(work, row[\"id\"], value_on)", "None",
        "an execution is noted and not booked", ("verify", OURS)),
    Bug("refund-of-the-confirmed", "refunds.working:_sum", "earned_with_reported=order.earned_fen(order.reported_centi)",
        "earned_with_reported=order.earned_fen(order.confirmed_centi)", "what is undecided is refunded too",
        ("a refund is what is not consumed",)),
    Bug("refund-a-fen-more", "refunds.decisions:work_out", "owed = sum(line.amount_fen for line in lines)",
        "owed = 1 + sum(line.amount_fen for line in lines)", "a refund is a fen too large",
        ("a refund is what", "the working adds up", OURS)),
    Bug("silent-money", "orders.service:money_moved", "tell(work, \"order.money_moved\", \"money_moved\", row)", "None",
        "money moves without an event", ("one event per version", "every change has its event")),
    Bug("told-twice", "orders.service:money_moved", "tell(work, \"order.money_moved\", \"money_moved\", row)",
        "[tell(work, 'order.money_moved', 'money_moved', row) for _ in 'ab']", "an event is told twice",
        ("one event per version",)),
    Bug("instruction-untold", "funds.instructions:tell", "work.emit(", "(lambda *a, **k: None)(",
        "banks are not told of instructions", ("one event per version", "every change has its event")),
    Bug("unaudited", "kernel.unit_of_work:Work.audit", "self._audit.append(", "str(",
        "nobody notes who did what", ("no money moves without",)),
    Bug("no-keys", "kernel.idempotency:once", "if stored is None:", "if True:",
        "a repeated request is carried out again", ("one key", OURS)),
    Bug("key-for-anything", "kernel.idempotency:once", "if stored.fingerprint != fingerprint:", "if False:",
        "a key's answer is given to another request", ("one key, one request",)),
    Bug("key-not-kept", "kernel.idempotency:once", "work.connection.execute(_KEEP,", "(lambda *_: None)(_KEEP,",
        "the answer under a key is not kept", ("one key", "what was acknowledged", OURS)),
    Bug("flush-before-the-end", "kernel.unit_of_work:Storage._attempts", "work.flush()",
        "connection.rollback()", "what was acknowledged was never committed",
        ("what was acknowledged", OURS, "one key")),
    Bug("dispute-is-confirmed", "consumption.service:_void", "(-row[\"class_hours_centi\"], 0)", "(0, 0)",
        "a void record keeps its hours", ("hours are those of the records",)),
    Bug("confirmed-twice", "consumption.service:_confirm", "(0, row[\"class_hours_centi\"])",
        "(0, 2 * row[\"class_hours_centi\"])", "a confirmation counts twice", ("hours are those", OURS)),
    Bug("hours-unreported", "consumption.report:_store", "hours[row[\"order_id\"]] += row[\"class_hours_centi\"]",
        "hours[row[\"order_id\"]] += 0", "reported hours are not counted", ("hours are those", OURS)),
    Bug("duplicate-receipt-booked", "funds.decisions:break_of_receipt", "if part.settled:", "if False:",
        "a receipt that is told twice is booked twice", (OURS, "verify", "paid is the whole price", "the bank has")),
    Bug("wrong-sum-booked", "funds.decisions:break_of_receipt", "part.amount_fen != line[\"amount_fen\"]", "False",
        "a receipt of another sum counts as the part's", ("a matched receipt", "verify", "the bank has", "all money")),
    Bug("closes-too-early", "orders.service:close_when_settled", "not moving and", "",
        "an order closes while money still moves", ("a closed order has no money", OURS)),
    Bug("closes-with-money", "orders.service:close_when_settled", "and not sums.escrow", "",
        "an order closes while it still has money", ("a closed order has no money",)),
    Bug("record-untold", "consumption.service:_emit", "work.emit(", "(lambda *a, **k: None)(",
        "nobody is told of consumption records", ("one event per version", "every change has its event")),
    Bug("order-untold", "orders.service:tell", "work.emit(", "(lambda *a, **k: None)(",
        "nobody is told of orders", ("one event per version", "every change has its event")),
    Bug("payment-untold", "orders.payments:_emit", "work.emit(", "(lambda *a, **k: None)(",
        "nobody is told of payments", ("one event per version", "every change has its event")),
    Bug("version-stands", "kernel.resources:change", '"version": current + 1', '"version": current',
        "a changed row keeps its version", ("one event per version",)),
]  # fmt: skip
BUGS = {bug.name: bug for bug in _ALL}


def page() -> str:
    """`docs/planted-bugs.md`, with what the last hunt of all of them found."""
    found = json.loads(HUNTED.read_text(encoding="utf-8")) if HUNTED.exists() else {}
    rows = []
    for bug in _ALL:
        by, seed, steps = found.get(bug.name, ("not hunted yet", "", ""))
        rows.append(f"| {bug.name} | `{bug.where}` | {bug.tells} | {by} | {seed} | {steps} |")
    return "\n".join([HEAD, *rows, ""])


HUNTED = Path(__file__).with_name("hunted.json")
"""By bug: the invariant that found it, the seed, and after how many steps in all."""


HEAD = """# Planted bugs

Bugs that are planted in the reference server's own money code, one at a time, to show that the simulator finds them
(`reference_server/tests/simulation`; all of them with `-m long`). `python -m simulation --planted NAME` plays with one,
`python -m simulation.hunt` plays with each until something breaks and writes this page. Seeds are played one after
another from 1, in histories of 400 steps with every invariant of the whole database checked each 25 steps; the last
column counts all steps until the bug was found.

| bug | planted in | what it does | found by | seed | steps |
|---|---|---|---|---|---|"""
