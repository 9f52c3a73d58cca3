"""The simulated bank: what it really holds and really moved, whatever it told the platform of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Document = dict[str, Any]


@dataclass
class Task:
    """One instruction at the bank."""

    moved: bool = False
    moved_on: date = date.max
    account_id: str = ""
    amount: int = 0
    told_end: bool = False
    told_line: bool = False


@dataclass
class Bank:
    """Real money in fen, and every line that was ever sent."""

    real: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    arrived: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By order: what was really paid in for it."""
    gone: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By order: what really left."""
    tasks: dict[str, Task] = field(default_factory=lambda: defaultdict(Task))
    sent_parts: set[tuple[str, int]] = field(default_factory=set)
    lines: dict[str, tuple[str, int, bool]] = field(default_factory=dict)
    """By external_id: account, signed sum, whether it tells something that happened."""
    documents: list[Document] = field(default_factory=list)

    def receipt(self, order_id: str, account_id: str, amount: int, fee: int = 0) -> None:
        """Money comes in, less what a channel has kept of it."""
        self.real[account_id] += amount - fee
        self.arrived[order_id] += amount

    def move(self, instruction_id: str, order_id: str, account_id: str, amount: int, on: date) -> None:
        """Money leaves."""
        self.real[account_id] -= amount
        self.gone[order_id] += amount
        self.tasks[instruction_id] = Task(True, on, account_id, amount)

    def untold(self, account_id: str, until: date) -> int:
        """What has left an account by the end of a day, and is on no line yet: no closing balance hides it."""
        mine = (task for task in self.tasks.values() if task.moved and not task.told_line)
        return sum(task.amount for task in mine if task.account_id == account_id and task.moved_on <= until)

    def line(self, now: datetime, account_id: str, kind: str, amount: int, true: bool, **more: Any) -> Document:
        """A line as it will be reported; `true` when it tells something that happened, for the first time."""
        number = len(self.documents)
        credit = kind in ("receipt", "claim_paid")
        document = {
            "external_id": f"line-{number:06}", "account_id": account_id, "kind": kind,
            "direction": "credit" if credit else "debit", "amount_fen": amount, "booked_at": now.isoformat(),
            "value_on": now.date().isoformat(), "bank_reference": f"B{number:06}", "balance_after_fen": 0, **more,
        }  # fmt: skip
        self.documents.append(document)
        self.lines[document["external_id"]] = (account_id, amount if credit else -amount, true)
        return document

    def overpaid(self) -> str | None:
        """An order for which more left than came in, by nobody's fault but the platform's."""
        for order_id, fen in self.gone.items():
            if fen > self.arrived[order_id]:
                return f"{order_id}: {fen} of {self.arrived[order_id]}"
        return None
