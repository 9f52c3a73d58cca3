"""A bank that goes wrong on demand: by a plan given at the start, or by the action `faults` at its control address.

`python -m offcampus_conformance.standins.faults.banks --platform URL … [--fault PLAN.json]`

    POST /actions/faults {"faults": [{"kind": "late_success", "times": 1, "seconds": 3600}]}   what goes wrong next
    POST /actions/faults {"faults": []}                                                        nothing any more
    GET  /actions are those of the good bank

Seconds are of the business clock. The bank's own books stay right, whatever it says of them: that is how a test knows
what the platform must find.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from offcampus_sdk import Key, models
from offcampus_sdk.exchange import Answer
from offcampus_sdk.signing import sign_request
from offcampus_sdk.transport import Transport
from offcampus_spec.operations import Operation

from offcampus_conformance.standins import driver
from offcampus_conformance.standins.good_bank import GoodBank, work_for_ever
from offcampus_conformance.standins.good_vendor import arguments

KINDS = {
    "timeout": "a request never reaches the platform",
    "lost_answer": "the platform's answer is lost on the way back",
    "replay": "the same bytes are sent a second time",
    "wrong_signature": "a request is signed with a key that nobody knows",
    "down": "for some seconds the bank does nothing at all",
    "late_success": "money moves at once and is told some seconds later",
    "success_after_failure": "a failure is told, and the money moves all the same",
    "out_of_order": "an execution is told before its acceptance",
    "duplicate_line": "a line is reported again under another id",
    "wrong_sum": "a line is reported with one fen too much",
    "unreported_line": "a line is in the statement and was never reported",
    "missing_line": "a line is left out of the statement",
    "fee": "the bank takes a fee of 30 fen out of custody",
    "sweep": "the account is swept to headquarters, 1 yuan at a time",
    "manual_transfer": "somebody moves 1 yuan by hand",
    "wrong_balance": "a balance is told with one fen too much",
}
STRAYS = {"fee": ("fee", 30), "sweep": ("sweep", 100), "manual_transfer": ("other", 100)}


@dataclass
class Fault:
    """One thing that goes wrong some times, or for some seconds."""

    kind: str
    times: int = 1
    seconds: int = 3600
    operation: str = ""
    """Only in requests of this operation; of any when empty."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are: {', '.join(KINDS)}")


class Plan:
    """What is still to go wrong, and what came of it."""

    def __init__(self, faults: list[Fault]) -> None:
        self.done: list[tuple[str, str]] = []
        self._faults = faults
        self._guard = threading.Lock()

    def set(self, faults: list[Fault]) -> None:
        """From now on, these."""
        with self._guard:
            self._faults = faults

    def take(self, kind: str, operation: str = "") -> Fault | None:
        """The next fault of this kind, used up once; None when nothing of it is planned."""
        with self._guard:
            for fault in self._faults:
                if fault.kind == kind and fault.times > 0 and fault.operation in ("", operation):
                    fault.times -= 1
                    self.done.append((kind, operation))
                    return fault
        return None


class FaultyTransport(Transport):
    """Loses, repeats and missigns what the bank sends, as the plan says."""

    plan: Plan
    _sent: tuple[Operation, str, dict[str, str], bytes] | None = None

    def _once(self, operation: Operation, url: str, headers: Any, content: bytes) -> tuple[Answer | None, str]:
        if operation.signed and self.plan.take("timeout", operation.operation_id):
            return None, "timed out on purpose"
        answer, trouble = super()._once(operation, url, headers, content)
        if operation.signed and self._sent is not None and self.plan.take("replay", operation.operation_id):
            _, address, sent, body = self._sent
            again = self._client.request(operation.method, address, headers=sent, content=body)
            self.plan.done.append(("replayed", str(again.status_code)))
        if operation.signed and answer is not None and self.plan.take("lost_answer", operation.operation_id):
            return None, "the answer was lost on purpose"
        return answer, trouble

    def _sign(self, operation: Operation, url: str, headers: dict[str, str], content: bytes) -> None:
        if self.plan.take("wrong_signature", operation.operation_id):
            sign_request(Key.generate(), operation.method, url, headers, content, int(self.now()))
        else:
            super()._sign(operation, url, headers, content)
        self._sent = (operation, url, headers, content)


class FaultyBank(GoodBank):
    """The good bank, until the plan says otherwise."""

    def __init__(
        self, platform: str, client_id: str, key: Key, state: Path, clock_file: Path | None,
        http: httpx2.BaseTransport | None = None, plan: Plan | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan or Plan([])
        self._down_until: datetime | None = None
        self._held_until: dict[str, datetime] = {}
        super().__init__(platform, client_id, key, state, clock_file, http)

    def transport_type(self) -> type[Transport]:
        """A transport under this bank's plan."""
        return type("PlannedTransport", (FaultyTransport,), {"plan": self.plan})

    def actions(self) -> dict[str, driver.Action]:
        """Those of the good bank, and what is to go wrong."""
        return {**super().actions(), "faults": self.set_faults}

    def set_faults(self, given: dict[str, Any]) -> Any:
        """Plan what goes wrong next; answers what has gone wrong so far."""
        if "faults" in given:
            self.plan.set(msgspec.convert(given["faults"], type=list[Fault]))
        return {"done": [list(entry) for entry in self.plan.done], "kinds": KINDS}

    def work(self) -> Any:
        """One round, unless the bank is down."""
        if fault := self.plan.take("down"):
            self._down_until = self.now() + timedelta(seconds=fault.seconds)
        if self._down_until is not None and self.now() < self._down_until:
            return {"down": True}
        with self._guard:
            for kind, (booked, fen) in STRAYS.items():
                for account_id in self._accounts():
                    if self._balance(account_id) >= fen and self.plan.take(kind):
                        self._book(account_id, booked, "debit", fen)
        return super().work()

    def _carry_out(self, instruction: models.CustodyInstructionResource) -> None:
        if instruction.order_id is not None and self._paid(instruction) is None:
            if self.plan.take("success_after_failure"):
                self._book_payment(instruction)
                failure = models.InstructionFailure(code="timeout", text="系统超时")
                self.client.custody_instructions.fail(instruction.id, failure, key=f"fail-{instruction.id}")
                return
            if fault := self.plan.take("late_success"):
                self._book_payment(instruction)
                self._held_until[instruction.id] = self.now() + timedelta(seconds=fault.seconds)
            if self.plan.take("out_of_order"):
                self._pay(instruction)
        if self._held(instruction.id):
            return
        super()._carry_out(instruction)

    def _reported(self, rows: list[sqlite3.Row]) -> list[models.CustodyMovement]:
        lines = super()._reported(rows)
        if self.plan.take("wrong_sum"):
            lines[0].amount_fen += 1
        if self.plan.take("duplicate_line"):
            again = msgspec.structs.replace(lines[0], external_id=f"{lines[0].external_id}-again")
            lines.append(again)
        return lines

    def _lines(self, condition: str, *values: Any) -> list[sqlite3.Row]:
        rows = super()._lines(condition, *values)
        if condition != "reported = 0":
            return rows
        rows = [row for row in rows if not self._held(row["instruction_id"] or "")]
        if rows and self.plan.take("unreported_line"):
            self.books.execute("UPDATE lines SET reported = 1 WHERE no = ?", (rows.pop()["no"],))
        return rows

    def _of_day(self, account_id: str, day: str) -> list[models.CustodyMovement]:
        lines = super()._of_day(account_id, day)
        return lines[:-1] if self.plan.take("missing_line") else lines

    def _told_balance(self, account_id: str) -> int:
        return super()._told_balance(account_id) + (1 if self.plan.take("wrong_balance") else 0)

    def _held(self, instruction_id: str) -> bool:
        until = self._held_until.get(instruction_id)
        return until is not None and self.now() < until

    def _accounts(self) -> list[str]:
        return [row[0] for row in self.books.execute("SELECT id FROM accounts WHERE id IS NOT NULL ORDER BY id")]


def main() -> None:
    """Run it."""
    given = arguments("A bank's system that goes wrong on demand")
    planned = json.loads(Path(given.fault).read_text(encoding="utf-8")) if given.fault else []
    plan = Plan(msgspec.convert(planned, type=list[Fault]))
    bank = FaultyBank(given.platform, given.client_id, Key.load(given.key_file), given.state, given.clock_file,
                      plan=plan)  # fmt: skip
    server = driver.serve(bank.actions(), given.port)
    print(f"ready at http://127.0.0.1:{server.server_address[1]}", flush=True)
    work_for_ever(bank)


if __name__ == "__main__":
    main()
