"""A good bank: books of its own, one effect per instruction, everything reported until the platform has taken it.

`python -m offcampus_conformance.standins.good_bank --platform URL --client-id ID --key-file F --state DIR --port N`

What it promises, at whatever moment it is killed: an instruction is executed at most once (its id is unique in the
books), a line is reported under one id until it is acknowledged, and nothing is reported that is not in the books.
Its control port plays the payment channels: `deposit` is money arriving from a payer.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from offcampus_sdk import Client, Key, models
from offcampus_sdk.errors import Conflict, OffcampusError, ProblemError, ServerTrouble, TransportTrouble
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.transport import Transport

from offcampus_conformance.standins import driver, outbox
from offcampus_conformance.standins.driver import RefusedHere
from offcampus_conformance.standins.good_vendor import AGAIN_AT_MOST, arguments, run_command
from offcampus_conformance.standins.patience import HURRIED, PATIENT
from offcampus_conformance.synthetic import SHANGHAI

SHAPE = """
CREATE TABLE IF NOT EXISTS accounts (
    external_id TEXT PRIMARY KEY, institution_id TEXT NOT NULL, id TEXT, opened_on TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lines (
    no INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, kind TEXT NOT NULL, direction TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), booked_at TEXT NOT NULL, value_on TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE, payment_id TEXT, part_no INTEGER, instruction_id TEXT UNIQUE,
    balance_after_fen INTEGER NOT NULL CHECK (balance_after_fen >= 0), reported INTEGER NOT NULL DEFAULT 0, batch TEXT,
    UNIQUE (payment_id, part_no, direction)
) STRICT;
"""
ROUND_S = 0.2
SET_ASIDE = 2
"""A line that the platform refused: a person looks at it, it is not sent again."""


class GoodBank:
    """The bank's system."""

    purpose = "custody"
    """What the accounts that it opens are for."""

    def __init__(
        self, platform: str, client_id: str, key: Key, state: Path, clock_file: Path | None,
        http: httpx2.BaseTransport | None = None, *, policy: RetryPolicy = PATIENT,
    ) -> None:  # fmt: skip
        state.mkdir(parents=True, exist_ok=True)
        self.state, self.platform, self.client_id = state, platform, client_id
        self.first_key, self.policy = key, policy
        self.clock_file, self.http = clock_file, http
        self.handed_over: datetime | None = None
        """The business time that the suite handed over last; None: the suite hands none over."""
        self._guard = threading.RLock()
        self._open()

    def _open(self) -> None:
        changed = self.state / "key.json"
        key = Key.load(changed) if changed.exists() else self.first_key
        self.client = Client(
            self.platform, self.client_id, key, policy=self.policy, http=self.http,
            transport_type=self.transport_type(),
        )  # fmt: skip
        self.books = sqlite3.connect(self.state / "bank.db", isolation_level=None, check_same_thread=False)
        self.books.row_factory = sqlite3.Row
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *filter(str.strip, SHAPE.split(";"))):
            self.books.execute(statement)
        self.outbox = outbox.opened(self.state / "outbox.db")

    def close(self) -> None:
        """Let go of connections and files."""
        self.client.close()
        self.books.close()
        self.outbox.close()

    def follow_clock(self, now: str) -> None:
        """Take the suite's business time for this system's own."""
        self.handed_over = datetime.fromisoformat(now)

    def transport_type(self) -> type[Transport]:
        """How it speaks to the platform."""
        return Transport

    def actions(self) -> dict[str, driver.Action]:
        """What may be asked of the bank at its counter."""
        return {
            "open_account": self.open_account,
            "change_account": self.change_account,
            "close_account": self.close_account,
            "deposit": self.deposit,
            "stray": self.stray,
            "work": lambda given: self.work_or_wait(),
            "statement": self.statement,
            "balance": self.balance,
            "assess": self.assess,
            "reconcile": self.reconcile,
            "sync_events": self.sync_events,
            "restart": self.restart,
            "new_key": self.new_key,
            "use_new_key": self.use_new_key,
            "observe": self.observe,
        }

    def open_account(self, given: dict[str, Any]) -> Any:
        """Open a custody account for an institution and report it."""
        institution_id = given["institution_id"]
        reference = f"cac-{institution_id}"
        today = self.now().date().isoformat()
        with self._guard:
            self.books.execute(
                "INSERT OR IGNORE INTO accounts VALUES (?, ?, NULL, ?)", (reference, institution_id, today)
            )
            opened_on = self.books.execute(
                "SELECT opened_on FROM accounts WHERE external_id = ?", (reference,)
            ).fetchone()[0]
        # The number itself stays in the bank: what travels is its digest and its last four digits.
        number = given.get("account_number", f"{reference}0001")
        digest = hashlib.sha256(number.encode()).hexdigest()
        account = models.CustodyAccount(
            external_id=reference, institution_id=institution_id, account_digest=f"sha-256:{digest}",
            account_tail=number[-4:], agreement_number=f"TG-{institution_id[-8:]}", opened_on=opened_on,
            purpose=self.purpose,
        )  # fmt: skip
        answered = self.client.custody_accounts.open(account)
        with self._guard:
            self.books.execute("UPDATE accounts SET id = ? WHERE external_id = ?", (answered.id, reference))
        return {"id": answered.id}

    def change_account(self, given: dict[str, Any]) -> Any:
        """Report the new agreement of an account, on its current version; read again when it has changed."""
        patch = {"agreement_number": given["agreement_number"]}
        for left in reversed(range(AGAIN_AT_MOST)):
            version = self.client.custody_accounts.get(given["id"]).version
            try:
                answer = self.client.transport.call(
                    "changeCustodyAccount", path={"account_id": given["id"]}, body=patch, if_match=version
                )
            except Conflict as error:
                if error.status != 412 or not left:
                    raise
            else:
                return msgspec.json.decode(answer.body)
        return None

    def close_account(self, given: dict[str, Any]) -> Any:
        """Close an account that holds nothing, and report it."""
        if self._balance(given["id"]):
            raise RefusedHere("there is money in the account: it is not closed")
        closure = models.AccountClosure(closed_on=self.now().date().isoformat(), reason=given["reason"])
        current = self.client.custody_accounts.get(given["id"])
        return msgspec.to_builtins(self.client.custody_accounts.close(current, closure))

    def stray(self, given: dict[str, Any]) -> Any:
        """Something that nobody instructed: a fee, a sweep, money moved by hand."""
        with self._guard:
            self._book(given["account_id"], given["kind"], "debit", given["amount_fen"])
        return {"balance_fen": self._balance(given["account_id"])}

    def assess(self, given: dict[str, Any]) -> Any:
        """Submit what the bank's model makes of an institution; without an answer it waits for the next round."""
        intent = outbox.intend(self.outbox, "assess", given)
        try:
            return self._submit(intent)
        except (TransportTrouble, ServerTrouble):
            return {"waiting": 1}

    def _submit(self, intent: outbox.Intent) -> Any:
        assessment = msgspec.convert(intent.document, type=models.RiskAssessment)
        try:
            answer = self.client.risk_assessments.submit(assessment, key=intent.key)
        except ProblemError as error:
            if not isinstance(error, ServerTrouble):
                outbox.settle(self.outbox, intent, "refused")
            raise
        outbox.settle(self.outbox, intent, "done")
        return msgspec.to_builtins(answer)

    def reconcile(self, given: dict[str, Any]) -> Any:
        """Count the platform's instructions, to the last page."""
        return {"instructions": sum(1 for _ in self.client.custody_instructions.list())}

    def sync_events(self, given: dict[str, Any]) -> Any:
        """Catch up from the feed; the cursor is stored with what was made of the events."""
        row = self.outbox.execute("SELECT value FROM cursor").fetchone()
        cursor, taken = (row[0] if row else None), 0
        while True:
            page = self.client.events.list(after=cursor, limit=500)
            cursor = page.next_cursor
            self.outbox.execute("BEGIN IMMEDIATE")
            for event in page.items:
                self.outbox.execute("INSERT OR IGNORE INTO seen VALUES (?, 1)", (event.id,))
            self.outbox.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?)", (cursor,))
            self.outbox.execute("COMMIT")
            taken += len(page.items)
            if not page.items:
                return {"taken": taken}

    def restart(self, given: dict[str, Any]) -> Any:
        """Stop and start again: everything in memory is gone."""
        with self._guard:
            self.close()
            self._open()
        return {}

    def new_key(self, given: dict[str, Any]) -> Any:
        """Make a new key; only its public part is shown."""
        key = Key.generate()
        key.save(self.state / "next-key.json")
        return {"public_key": key.public_jwk()}

    def use_new_key(self, given: dict[str, Any]) -> Any:
        """Change over to the new key: tokens and signatures alike."""
        (self.state / "next-key.json").rename(self.state / "key.json")
        return self.restart(given)

    def observe(self, given: dict[str, Any]) -> Any:
        """What the bank's books hold, by account, and the events that it has read."""
        with self._guard:
            ids = [row[0] for row in self.books.execute("SELECT id FROM accounts WHERE id IS NOT NULL")]
            seen = dict(self.outbox.execute("SELECT event_id, times FROM seen").fetchall())
        return {"subjects": {id: {"balance_fen": self._balance(id)} for id in ids}, "events": seen}

    def deposit(self, given: dict[str, Any]) -> Any:
        """Money arrives for one part of a payment; arriving twice is one line."""
        with self._guard:
            known = self.books.execute(
                "SELECT reference FROM lines WHERE payment_id = ? AND part_no = ? AND direction = 'credit'",
                (given["payment_id"], given["part_no"]),
            ).fetchone()
            if known is None:
                self._book(
                    given["account_id"], "receipt", "credit", given["amount_fen"], payment_id=given["payment_id"],
                    part_no=given["part_no"],
                )  # fmt: skip
        return {"balance_fen": self._balance(given["account_id"])}

    def work_or_wait(self) -> Any:
        """One round; without the platform everything waits for the next one."""
        try:
            return self.work()
        except (TransportTrouble, ServerTrouble):
            return {"waiting": len(self._lines("reported = 0")) + len(outbox.waiting(self.outbox))}

    def work(self) -> Any:
        """One round: send what waits, report lines, fetch instructions, carry them out, report."""
        with self._guard:
            for intent in outbox.waiting(self.outbox):
                self._submit(intent)
            self._report_lines()
            for state in ("issued", "accepted"):
                for instruction in list(self.client.custody_instructions.list(state=state)):
                    self._carry_out(instruction)
            self._report_lines()
        return {"lines": self.books.execute("SELECT count(*) FROM lines").fetchone()[0]}

    def statement(self, given: dict[str, Any]) -> Any:
        """Submit the statement of each day that has lines, in order; the last one is returned."""
        account_id, closing, last = given["account_id"], 0, None
        with self._guard:
            days = self.books.execute(
                "SELECT DISTINCT value_on FROM lines WHERE account_id = ? ORDER BY value_on", (account_id,)
            ).fetchall()
            for (day,) in days:
                lines = self._of_day(account_id, day)
                opening = closing
                closing = self._closing(account_id, day)
                statement = models.Statement(opening_balance_fen=opening, closing_balance_fen=closing, lines=lines)
                last = self.client.statements.submit(account_id, day, statement)
        return msgspec.to_builtins(last) if last is not None else {}

    def _of_day(self, account_id: str, day: str) -> list[models.CustodyMovement]:
        return [self._movement(row) for row in self._lines("account_id = ? AND value_on = ?", account_id, day)]

    def _closing(self, account_id: str, day: str) -> int:
        return int(self._lines("account_id = ? AND value_on = ?", account_id, day)[-1]["balance_after_fen"])

    def balance(self, given: dict[str, Any]) -> Any:
        """The account's balance and what moved, by the bank's own books."""
        account_id = given["account_id"]
        sums = self.books.execute(
            "SELECT kind, sum(amount_fen) FROM lines WHERE account_id = ? GROUP BY kind", (account_id,)
        ).fetchall()
        return {"balance_fen": self._balance(account_id), "moved_fen": {row[0]: row[1] for row in sums}}

    def now(self) -> datetime:
        """The business instant: real time, shifted by the clock file in a demonstration."""
        if self.handed_over is not None:
            return self.handed_over
        offset = 0
        if self.clock_file is not None and self.clock_file.exists():
            offset = int(json.loads(self.clock_file.read_text(encoding="utf-8"))["offset_seconds"])
        return datetime.now(SHANGHAI) + timedelta(seconds=offset)

    def _carry_out(self, instruction: models.CustodyInstructionResource) -> None:
        if instruction.order_id is None:
            self._carry_out_order(instruction)
            return
        try:
            self.client.custody_instructions.accept(instruction.id, key=f"accept-{instruction.id}")
        except Conflict as error:
            if error.code != "custody.frozen":
                raise
            failure = models.InstructionFailure(code="account_frozen", text="账户已冻结")
            self.client.custody_instructions.fail(instruction.id, failure, key=f"fail-{instruction.id}")
            return
        self._pay(instruction)

    def _pay(self, instruction: models.CustodyInstructionResource) -> None:
        row = self._paid(instruction)
        if row is None:
            if self._balance(instruction.account_id) < instruction.amount_fen:
                failure = models.InstructionFailure(code="insufficient_funds", text="余额不足")
                self.client.custody_instructions.fail(instruction.id, failure, key=f"fail-{instruction.id}")
                return
            # The books first: whatever happens from here on, this instruction is never executed again.
            row = self._book_payment(instruction)
        execution = models.InstructionExecution(bank_reference=row["reference"], executed_at=row["booked_at"])
        self.client.custody_instructions.execute(instruction.id, execution, key=f"execute-{instruction.id}")

    def _paid(self, instruction: models.CustodyInstructionResource) -> sqlite3.Row | None:
        found = self.books.execute("SELECT * FROM lines WHERE instruction_id = ?", (instruction.id,)).fetchone()
        return found if isinstance(found, sqlite3.Row) else None

    def _book_payment(self, instruction: models.CustodyInstructionResource) -> sqlite3.Row:
        self._book(
            instruction.account_id, instruction.kind, "debit", instruction.amount_fen, instruction_id=instruction.id
        )
        row = self._paid(instruction)
        assert row is not None
        return row

    def _carry_out_order(self, instruction: models.CustodyInstructionResource) -> None:
        """What a department orders about an account: nothing moves; a balance is answered by submitting it."""
        moment = self.now().isoformat(timespec="seconds")
        if instruction.kind == "balance":
            balance = models.Balance(
                external_id=f"balance-{instruction.id}", balance_fen=self._told_balance(instruction.account_id),
                measured_at=moment, instruction_id=instruction.id,
            )  # fmt: skip
            self.client.custody_accounts.submit_balance(
                instruction.account_id, balance, key=f"balance-{instruction.id}"
            )
            return
        execution = models.InstructionExecution(bank_reference=f"O{instruction.id[-20:]}", executed_at=moment)
        self.client.custody_instructions.execute(instruction.id, execution, key=f"execute-{instruction.id}")

    def _told_balance(self, account_id: str) -> int:
        return self._balance(account_id)

    def _report_lines(self) -> None:
        while rows := self._batch():
            result = self.client.custody_movements.report(self._reported(rows), key=rows[0]["batch"])
            for row, entry in zip(rows, result.results, strict=False):
                state = SET_ASIDE if entry.outcome == "refused" else 1
                self.books.execute("UPDATE lines SET reported = ? WHERE no = ?", (state, row["no"]))
            if not result.results:
                return

    def _batch(self) -> list[sqlite3.Row]:
        """The batch that was begun and not answered, else a new one of what waits; a batch keeps its key."""
        begun = self.books.execute("SELECT batch FROM lines WHERE reported = 0 AND batch NOT NULL LIMIT 1").fetchone()
        if begun is None:
            rows = self._lines("reported = 0")
            key = "lines-" + hashlib.sha256(",".join(row["reference"] for row in rows).encode()).hexdigest()[:40]
            for row in rows:
                self.books.execute("UPDATE lines SET batch = ? WHERE no = ?", (key, row["no"]))
        else:
            key = begun[0]
        return self._lines("batch = ? AND reported = 0", key)

    def _reported(self, rows: list[sqlite3.Row]) -> list[models.CustodyMovement]:
        return [self._movement(row) for row in rows]

    def _book(
        self, account_id: str, kind: str, direction: str, amount_fen: int, *, payment_id: str | None = None,
        part_no: int | None = None, instruction_id: str | None = None,
    ) -> None:  # fmt: skip
        moment = self.now()
        balance = self._balance(account_id) + (amount_fen if direction == "credit" else -amount_fen)
        source = f"{payment_id}/{part_no}" if payment_id else str(instruction_id or f"{account_id} {moment}")
        reference = "B" + hashlib.sha256(source.encode()).hexdigest()[:24].upper()
        self.books.execute(
            "INSERT INTO lines (account_id, kind, direction, amount_fen, booked_at, value_on, reference, payment_id,"
            " part_no, instruction_id, balance_after_fen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                account_id, kind, direction, amount_fen, moment.isoformat(timespec="seconds"),
                moment.date().isoformat(), reference, payment_id, part_no, instruction_id, balance,
            ),
        )  # fmt: skip

    def _balance(self, account_id: str) -> int:
        row = self.books.execute(
            "SELECT balance_after_fen FROM lines WHERE account_id = ? ORDER BY no DESC LIMIT 1", (account_id,)
        ).fetchone()
        return int(row[0]) if row else 0

    def _lines(self, condition: str, *values: Any) -> list[sqlite3.Row]:
        query = f"SELECT * FROM lines WHERE {condition} ORDER BY no LIMIT 1000"  # noqa: S608 - conditions of ours
        return self.books.execute(query, values).fetchall()

    def _movement(self, row: sqlite3.Row) -> models.CustodyMovement:
        named = {name: row[name] for name in ("payment_id", "part_no", "instruction_id") if row[name] is not None}
        return models.CustodyMovement(
            external_id=row["reference"], account_id=row["account_id"], kind=row["kind"], direction=row["direction"],
            amount_fen=row["amount_fen"], booked_at=row["booked_at"], value_on=row["value_on"],
            bank_reference=row["reference"], balance_after_fen=row["balance_after_fen"], **named,
        )  # fmt: skip


def work_for_ever(bank: GoodBank) -> None:
    """Rounds until the process is ended; what fails in one is tried in the next."""
    while True:
        try:
            bank.work()
        except Conflict as error:
            print(f"a difference to look at: {error.code}", flush=True)
        except OffcampusError as error:
            print(f"no round: {type(error).__name__}", flush=True)
        time.sleep(ROUND_S)


def main() -> None:
    """Run it."""
    given = arguments("A good bank's system")
    bank = GoodBank(
        given.platform, given.client_id, Key.load(given.key_file), given.state, given.clock_file,
        policy=HURRIED if given.hurry else PATIENT,
    )  # fmt: skip
    if given.action:
        sys.exit(run_command(bank, given.action))
    if given.hurry:  # on a bench the suite says when to work
        server = driver.serve(bank.actions(), given.port, clock=bank.follow_clock)
        print(f"ready at http://127.0.0.1:{server.server_address[1]}", flush=True)
        threading.Event().wait()
    server = driver.serve(bank.actions(), given.port)
    print(f"ready at http://127.0.0.1:{server.server_address[1]}", flush=True)
    work_for_ever(bank)


if __name__ == "__main__":
    main()
