"""Faulty banks: the good one with one thing wrong, and the check that must find it.

The bank that goes wrong on demand, for tests of the platform, is in `banks.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from offcampus_sdk import models
from offcampus_sdk.errors import OffcampusError
from offcampus_sdk.transport import Transport
from offcampus_spec.operations import Operation

from offcampus_conformance.standins import outbox
from offcampus_conformance.standins.faults.connecting import ABOUT_TIME, TRANSPORT_FAULTS
from offcampus_conformance.standins.faults.kit import Fault, Headers, Sent, Spoiled, Witness, with_witness
from offcampus_conformance.standins.good_bank import GoodBank

Document = dict[str, Any]
Instruction = models.CustodyInstructionResource
REPORT, EXECUTE = "reportCustodyMovements", "executeCustodyInstruction"


class FaultyBank(GoodBank):
    """A bank with one thing wrong. `witness` notes when."""

    witness: Witness = Witness()

    def changed(self, line: models.CustodyMovement) -> models.CustodyMovement:
        """A line as this bank reports it."""
        return line

    def _reported(self, rows: list[sqlite3.Row]) -> list[models.CustodyMovement]:
        found = []
        for line in super()._reported(rows):
            before = msgspec.json.encode(line)
            found.append(self.changed(line))
            if msgspec.json.encode(found[-1]) != before:
                self.witness.acted(REPORT)
        return found


class ShowsTheFirstDigits(FaultyBank):
    """The tail is the head."""

    def open_account(self, given: Document) -> Any:
        self.witness.acted("openCustodyAccount")
        return super().open_account({**given, "account_number": given["account_number"] + given["account_number"][:4]})


class ClosesAccountsWithMoney(FaultyBank):
    """Nobody looks at the balance before an account is closed."""

    def _balance(self, account_id: str) -> int:
        return 0 if self.closing else super()._balance(account_id)

    def close_account(self, given: Document) -> Any:
        self.closing = True
        self.witness.acted("closeCustodyAccount")
        try:
            return super().close_account(given)
        finally:
            self.closing = False

    closing = False


class ClosesAccountsAtHomeOnly(FaultyBank):
    """A closed account is closed in the core system and nowhere else."""

    def close_account(self, given: Document) -> Any:
        super_balance = self._balance(given["id"])
        if super_balance:
            return super().close_account(given)
        self.witness.acted("close_account")
        return {}


class RenewsAgreementsOnPaper(FaultyBank):
    """A renewed agreement is filed in a cabinet."""

    def change_account(self, given: Document) -> Any:
        self.witness.acted("change_account")
        return {}


class ExecutesWithoutAccepting(FaultyBank):
    """Instructions are carried out at once, and accepted never."""

    def _carry_out(self, instruction: Instruction) -> None:
        if instruction.order_id is None or self._frozen(instruction):
            super()._carry_out(instruction)
            return
        self.witness.acted(EXECUTE)
        self._pay(instruction)

    def _frozen(self, instruction: Instruction) -> bool:
        return self.client.custody_accounts.get(instruction.account_id).state == "frozen"


class ForgetsToTell(FaultyBank):
    """Money moves by night, and nobody tells that it did."""

    told = 0

    def _pay(self, instruction: Instruction) -> None:
        if instruction.amount_fen == 24000 and not self.told:
            type(self).told += 1
            self.quiet.add(instruction.id)
        if instruction.id in self.quiet:
            self.witness.acted("moment.release-issued")
            if self._paid(instruction) is None:
                self._book_payment(instruction)
            return
        super()._pay(instruction)

    def __init__(self, *given: Any, **how: Any) -> None:
        self.quiet: set[str] = set()
        super().__init__(*given, **how)


class PaysWhatItFetchesTwice(FaultyBank):
    """A lost answer is taken for a failure, and the money moved once more."""

    def _carry_out(self, instruction: Instruction) -> None:
        super()._carry_out(instruction)
        if instruction.kind == "release" and instruction.amount_fen == 1002 and instruction.id not in self.twice:
            self.twice.add(instruction.id)
            self.witness.acted(REPORT)
            line = models.CustodyMovement(
                external_id=f"again-{instruction.id[-20:]}", account_id=instruction.account_id, kind="release",
                direction="debit", amount_fen=1002, booked_at=self.now().isoformat(timespec="seconds"),
                value_on=self.now().date().isoformat(), bank_reference=f"AGAIN{instruction.id[-12:]}",
                balance_after_fen=max(0, self._balance(instruction.account_id) - 1002), instruction_id=instruction.id,
            )  # fmt: skip
            self.client.custody_movements.report([line])

    def __init__(self, *given: Any, **how: Any) -> None:
        self.twice: set[str] = set()
        super().__init__(*given, **how)


class InventsReferences(FaultyBank):
    """The execution is told under a number of the channel system."""

    def _pay(self, instruction: Instruction) -> None:
        row = self._paid(instruction)
        if row is None and self._balance(instruction.account_id) >= instruction.amount_fen:
            row = self._book_payment(instruction)
        if row is None:
            super()._pay(instruction)
            return
        self.witness.acted(EXECUTE)
        execution = models.InstructionExecution(bank_reference=f"CH{row['no']:08d}", executed_at=row["booked_at"])
        self.client.custody_instructions.execute(instruction.id, execution, key=f"execute-{instruction.id}")


class TakesItsFeeOutOfReleases(FaultyBank):
    """A release is paid less a fee."""

    def _book_payment(self, instruction: Instruction) -> sqlite3.Row:
        if instruction.kind != "release":
            return super()._book_payment(instruction)
        self.witness.acted(REPORT)
        less = msgspec.structs.replace(instruction, amount_fen=instruction.amount_fen - 5)
        return super()._book_payment(less)


class StopsRefundsOfFrozenAccounts(FaultyBank):
    """A freeze stops everything, refunds to families too."""

    def _carry_out(self, instruction: Instruction) -> None:
        if instruction.kind == "refund" and self._is_frozen(instruction):
            self.witness.acted("moment.refund-while-frozen")
            failure = models.InstructionFailure(code="account_frozen", text="账户已冻结")
            self.client.custody_instructions.fail(instruction.id, failure, key=f"fail-{instruction.id}")
            return
        super()._carry_out(instruction)

    def _is_frozen(self, instruction: Instruction) -> bool:
        return self.client.custody_accounts.get(instruction.account_id).state == "frozen"


class PaysOutOfFrozenAccounts(FaultyBank):
    """The freeze is known to the counter and not to the payment engine."""

    def _carry_out(self, instruction: Instruction) -> None:
        account = self.client.custody_accounts.get(instruction.account_id)
        if instruction.kind == "release" and account.state == "frozen" and self._paid(instruction) is None:
            self.witness.acted("moment.release-while-frozen")
            self._book_payment(instruction)
        super()._carry_out(instruction)


class StaysSilentWithoutFunds(FaultyBank):
    """What the account cannot pay stays in a list."""

    def _pay(self, instruction: Instruction) -> None:
        if self._paid(instruction) is None and self._balance(instruction.account_id) < instruction.amount_fen:
            self.witness.acted("acceptCustodyInstruction")
            self.witness.acted("moment.too-much-issued")
            return
        super()._pay(instruction)


class PaysAfterItFailed(FaultyBank):
    """The queue of the payment engine is not told that the instruction has failed."""

    def _pay(self, instruction: Instruction) -> None:
        short = self._paid(instruction) is None and self._balance(instruction.account_id) < instruction.amount_fen
        super()._pay(instruction)
        if short:
            self.later.append(instruction)

    def work(self) -> Any:
        if self.later and self.rounds > 0:
            instruction = self.later.pop()
            self.witness.acted(REPORT)
            # All that there is goes out, in the name of what had failed.
            there = self._balance(instruction.account_id) // 2
            self._book(instruction.account_id, "release", "debit", there, instruction_id=instruction.id)
        self.rounds += bool(self.later)
        return super().work()

    def __init__(self, *given: Any, **how: Any) -> None:
        self.later: list[Instruction] = []
        self.rounds = 0
        super().__init__(*given, **how)


class IgnoresOrdersOfDepartments(FaultyBank):
    """Freeze and unfreeze are letters for the legal department."""

    def _carry_out_order(self, instruction: Instruction) -> None:
        if instruction.kind == "freeze":
            self.witness.acted("moment.freeze-issued")
            return
        super()._carry_out_order(instruction)


class AnswersBalancesWithoutTheirName(FaultyBank):
    """A balance is submitted, and does not say which question it answers."""

    def _carry_out_order(self, instruction: Instruction) -> None:
        if instruction.kind != "balance" or instruction.id in self.answered:
            super()._carry_out_order(instruction) if instruction.kind != "balance" else None
            return
        self.answered.add(instruction.id)
        self.witness.acted("submitBalance")
        moment = self.now().isoformat(timespec="seconds")
        balance = models.Balance(
            external_id=f"balance-{instruction.id}", balance_fen=self._told_balance(instruction.account_id),
            measured_at=moment,
        )  # fmt: skip
        self.client.custody_accounts.submit_balance(instruction.account_id, balance)

    def __init__(self, *given: Any, **how: Any) -> None:
        self.answered: set[str] = set()
        super().__init__(*given, **how)


class TellsYesterdaysBalance(FaultyBank):
    """The balance is the one of the last end of day."""

    def _told_balance(self, account_id: str) -> int:
        self.witness.acted("submitBalance")
        return super()._told_balance(account_id) + 24_001


class FetchesOnePageOfInstructions(FaultyBank):
    """Only the first page of instructions is fetched in a round."""

    def work(self) -> Any:
        self.first_only = True
        self.witness.acted("listCustodyInstructions")
        try:
            return super().work()
        finally:
            self.first_only = False

    first_only = False

    def transport_type(self) -> type[Transport]:
        bank = self

        class FirstPage(Spoiled):
            def hear(self, operation: Operation, content: bytes, reached: Any) -> Any:
                if bank.first_only and operation.operation_id == "listCustodyInstructions" and reached[0] is not None:
                    page = msgspec.json.decode(reached[0].body)
                    body = msgspec.json.encode({**page, "next_cursor": None, "next": None})
                    return type(reached[0])(reached[0].status, reached[0].headers, body), ""
                return reached

        return FirstPage


class TellsTheTimeOfTheReport(FaultyBank):
    """executed_at is the moment of the report."""

    def _pay(self, instruction: Instruction) -> None:
        row = self._paid(instruction)
        if row is None and self._balance(instruction.account_id) >= instruction.amount_fen:
            row = self._book_payment(instruction)
        if row is None:
            super()._pay(instruction)
            return
        self.witness.acted(EXECUTE)
        later = (self.now() + timedelta(minutes=7)).isoformat(timespec="seconds")
        execution = models.InstructionExecution(bank_reference=row["reference"], executed_at=later)
        self.client.custody_instructions.execute(instruction.id, execution, key=f"execute-{instruction.id}")


class RenamesLines(FaultyBank):
    """Each report gives a line a number of its own."""

    count = 0

    def _report_lines(self) -> None:
        rows = self._lines("kind = 'receipt' AND reported = 1")
        super()._report_lines()
        if rows and not self.count:
            type(self).count += 1
            self.witness.acted(REPORT)
            line = msgspec.structs.replace(self._movement(rows[0]), external_id=f"{rows[0]['reference']}-2")
            self.client.custody_movements.report([line])


class LosesTrackOfBalances(FaultyBank):
    """The balance after a line is that of the end of day."""

    def changed(self, line: models.CustodyMovement) -> models.CustodyMovement:
        if line.kind == "fee":
            return msgspec.structs.replace(line, balance_after_fen=line.balance_after_fen + 7)
        return line


class LeavesPartsOut(FaultyBank):
    """A receipt names the payment and not the part."""

    def changed(self, line: models.CustodyMovement) -> models.CustodyMovement:
        return msgspec.structs.replace(line, part_no=msgspec.UNSET) if line.kind == "receipt" else line


class TakesValueDaysInUtc(FaultyBank):
    """The core system runs on UTC."""

    def _book(self, account_id: str, kind: str, direction: str, amount_fen: int, **about: Any) -> None:
        super()._book(account_id, kind, direction, amount_fen, **about)
        if self.now().hour < 8:
            self.witness.acted(REPORT)
            day = (self.now().date() - timedelta(days=1)).isoformat()
            self.books.execute("UPDATE lines SET value_on = ? WHERE no = (SELECT max(no) FROM lines)", (day,))


class SendsRefusedLinesAgain(FaultyBank):
    """Whatever is not accepted is sent again in the next round."""

    def _report_lines(self) -> None:
        changed = self.books.execute("UPDATE lines SET reported = 0, batch = NULL WHERE reported = 2").rowcount
        if changed:
            self.witness.acted(REPORT)
        super()._report_lines()


class HidesFees(FaultyBank):
    """A fee is called other."""

    def changed(self, line: models.CustodyMovement) -> models.CustodyMovement:
        return msgspec.structs.replace(line, kind="other") if line.kind == "fee" else line


class ForgetsReceiptsOfTheNight(FaultyBank):
    """What is booked before the day begins is never reported."""

    def deposit(self, given: Document) -> Any:
        answer = super().deposit(given)
        if self.now().hour < 8:
            self.witness.acted("deposit")
            self.books.execute("UPDATE lines SET reported = 3 WHERE no = (SELECT max(no) FROM lines)")
        return answer

    def _of_day(self, account_id: str, day: str) -> list[models.CustodyMovement]:
        rows = self._lines("account_id = ? AND value_on = ? AND reported <> 3", account_id, day)
        return [self._movement(row) for row in rows]


class SendsOneLineAtATime(FaultyBank):
    """Each line is a request of its own."""

    def _batch(self) -> list[sqlite3.Row]:
        rows = self._lines("reported = 0")
        if len(rows) > 1:
            self.witness.acted(REPORT)
        for row in rows[:1]:
            key = f"line-{row['reference']}"
            self.books.execute("UPDATE lines SET batch = ? WHERE no = ?", (key, row["no"]))
            return self._lines("no = ?", row["no"])
        return []


class ReportsFeesWithTheStatement(FaultyBank):
    """Fees stand in the statement and are reported afterwards."""

    def _lines(self, condition: str, *values: Any) -> list[sqlite3.Row]:
        rows = super()._lines(condition, *values)
        if condition == "reported = 0" and not self.stated:
            return [row for row in rows if row["kind"] != "fee"]
        return rows

    def statement(self, given: Document) -> Any:
        self.witness.acted("submitStatement")
        answer = super().statement(given)
        type(self).stated = True
        return answer

    stated = False


class TurnsReleasesRound(FaultyBank):
    """A release is shown as a credit, as the receiving bank sees it."""

    def changed(self, line: models.CustodyMovement) -> models.CustodyMovement:
        return msgspec.structs.replace(line, direction="credit") if line.kind == "release" else line


class ReportsTheLatestFirst(FaultyBank):
    """What waited is sent from the top of a stack."""

    def _batch(self) -> list[sqlite3.Row]:
        found = super()._batch()
        if len(found) == 1 and len(waiting := self._lines("reported = 0")) > 1:
            self.witness.acted(REPORT)
            newest = waiting[-1]
            key = f"stack-{newest['reference']}"
            self.books.execute("UPDATE lines SET batch = ? WHERE no = ?", (key, newest["no"]))
            return self._lines("no = ?", newest["no"])
        return found


class StatementsDoNotAddUp(FaultyBank):
    """The closing balance is taken from another system."""

    def _closing(self, account_id: str, day: str) -> int:
        self.witness.acted("submitStatement")
        return super()._closing(account_id, day) + 1


class OpensEveryDayAtNought(FaultyBank):
    """Each statement begins at nought, and its closing follows."""

    def statement(self, given: Document) -> Any:
        self.witness.acted("submitStatement")
        last = None
        days = self.books.execute(
            "SELECT DISTINCT value_on FROM lines WHERE account_id = ? ORDER BY value_on", (given["account_id"],)
        ).fetchall()
        for (day,) in days:
            lines = self._of_day(given["account_id"], day)
            moved = sum(line.amount_fen if line.direction == "credit" else -line.amount_fen for line in lines)
            opening = 0 if moved >= 0 else -moved
            statement = models.Statement(opening_balance_fen=opening, closing_balance_fen=opening + moved, lines=lines)
            last = self.client.statements.submit(given["account_id"], day, statement)
        return msgspec.to_builtins(last)


class LeavesALineOut(FaultyBank):
    """A statement leaves its last line out, and adds up all the same."""

    def statement(self, given: Document) -> Any:
        self.witness.acted("submitStatement")
        return super().statement(given)

    def _of_day(self, account_id: str, day: str) -> list[models.CustodyMovement]:
        found = super()._of_day(account_id, day)
        return found[:-2] if len(found) > 1 and sum(_signed(line) for line in found[-2:]) != 0 else found[:-1]

    def _closing(self, account_id: str, day: str) -> int:
        left_out = super()._of_day(account_id, day)[len(self._of_day(account_id, day)) :]
        return super()._closing(account_id, day) - sum(_signed(line) for line in left_out)


class ForgetsADay(FaultyBank):
    """The first day of an account has no statement; the second begins where it ended."""

    def statement(self, given: Document) -> Any:
        account_id = given["account_id"]
        self.witness.acted("statement")
        days = [row[0] for row in self.books.execute(
            "SELECT DISTINCT value_on FROM lines WHERE account_id = ? ORDER BY value_on", (account_id,)
        ).fetchall()]  # fmt: skip
        closing, last = 0, None
        for place, day in enumerate(days):
            opening, closing = closing, self._closing(account_id, day)
            statement = models.Statement(
                opening_balance_fen=opening, closing_balance_fen=closing, lines=self._of_day(account_id, day)
            )
            if place != len(days) - 1:
                last = self.client.statements.submit(account_id, day, statement)
        return msgspec.to_builtins(last) if last is not None else {}


class StatesUnderTheNextDay(FaultyBank):
    """The statement of a day is submitted under the day of its making."""

    def _of_day(self, account_id: str, day: str) -> list[models.CustodyMovement]:
        self.witness.acted("submitStatement")
        found = super()._of_day(account_id, day)
        return [msgspec.structs.replace(line, value_on="2025-09-30") for line in found]


class RoundsScores(FaultyBank):
    """Scores are rounded to hundreds on the way."""

    def assess(self, given: Document) -> Any:
        self.witness.acted("submitRiskAssessment")
        return super().assess({**given, "score": round(given["score"], -2)})


class LosesItsQueue(FaultyBank):
    """Lines that cannot be reported are written to a log file."""

    def work_or_wait(self) -> Any:
        answer = super().work_or_wait()
        if "waiting" in answer:
            self.witness.acted(REPORT)
            self.books.execute("UPDATE lines SET reported = 3 WHERE reported = 0")
            for intent in outbox.waiting(self.outbox):
                outbox.settle(self.outbox, intent, "refused")
        return answer


class DoesNotComeBack(FaultyBank):
    """After a restart the job that works does not start."""

    stopped = False

    def restart(self, given: Document) -> Any:
        answer = super().restart(given)
        self.stopped = self.changed_over
        return answer

    def use_new_key(self, given: Document) -> Any:
        answer = super().use_new_key(given)
        self.changed_over = True
        return answer

    changed_over = False

    def work_or_wait(self) -> Any:
        if self.stopped:
            self.witness.acted("work")
            raise OffcampusError("the scheduler is not running")
        return super().work_or_wait()


class OpensOneMoreAccount(FaultyBank):
    """Each catching up submits an assessment that nobody made."""

    def sync_events(self, given: Document) -> Any:
        self.witness.acted("submitRiskAssessment")
        type(self).count += 1
        made = {"external_id": f"auto-{self.count}-{id(self)}", "institution_id": "ins_" + "0" * 26, "model_name": "m",
                "model_version": "1", "score": 1, "reasons": ["auto"],
                "assessed_at": self.now().isoformat(timespec="seconds")}  # fmt: skip
        self.assess(made)
        return super().sync_events(given)

    count = 0


class _NaiveTimes(Spoiled):
    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id == "submitRiskAssessment":
            content = content.replace(b"+08:00", b"")
            self.mark(operation, content)
        return url, headers, content


class SendsAccountNumbers(FaultyBank):
    """The account's number is part of the agreement's."""

    def open_account(self, given: Document) -> Any:
        self.number = given["account_number"]
        self.witness.acted("openCustodyAccount")
        return super().open_account(given)

    number = ""

    def transport_type(self) -> type[Transport]:
        bank = self

        class WithNumber(Spoiled):
            def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
                if operation.operation_id == "openCustodyAccount":
                    document = msgspec.json.decode(content)
                    content = msgspec.json.encode({**document, "agreement_number": f"TG-{bank.number}"})
                return url, headers, content

        return WithNumber


def _signed(line: models.CustodyMovement) -> int:
    return line.amount_fen if line.direction == "credit" else -line.amount_fen


def _by_transport(transport: type[Transport]) -> Callable[[Witness], type[GoodBank]]:
    def build(witness: Witness) -> type[GoodBank]:
        kind = with_witness(transport, witness)
        return type(transport.__name__, (GoodBank,), {"transport_type": lambda self: kind})

    return build


def _by_bank(bank: type[FaultyBank]) -> Callable[[Witness], type[GoodBank]]:
    return lambda witness: type(bank.__name__, (bank,), {"witness": witness})


OWN: tuple[tuple[type[FaultyBank], str], ...] = (
    (LosesItsQueue, "OUT-001"),
    (ReportsTheLatestFirst, "OUT-003"),
    (DoesNotComeBack, "RUN-001"),
    (OpensOneMoreAccount, "STEP-001"),
    (SendsAccountNumbers, "PRIV-001"),
    (ShowsTheFirstDigits, "ACC-001"),
    (ClosesAccountsWithMoney, "ACC-002"),
    (ClosesAccountsAtHomeOnly, "ACC-003"),
    (RenewsAgreementsOnPaper, "ACC-004"),
    (ExecutesWithoutAccepting, "INS-001"),
    (ForgetsToTell, "INS-002"),
    (PaysWhatItFetchesTwice, "INS-003"),
    (InventsReferences, "INS-004"),
    (TakesItsFeeOutOfReleases, "INS-005"),
    (StopsRefundsOfFrozenAccounts, "INS-006"),
    (PaysOutOfFrozenAccounts, "INS-007"),
    (StaysSilentWithoutFunds, "INS-008"),
    (PaysAfterItFailed, "INS-009"),
    (IgnoresOrdersOfDepartments, "INS-010"),
    (AnswersBalancesWithoutTheirName, "INS-011"),
    (FetchesOnePageOfInstructions, "INS-012"),
    (TellsTheTimeOfTheReport, "INS-013"),
    (TellsYesterdaysBalance, "BAL-001"),
    (RenamesLines, "MOV-001"),
    (LosesTrackOfBalances, "MOV-002"),
    (LeavesPartsOut, "MOV-003"),
    (TakesValueDaysInUtc, "MOV-004"),
    (SendsRefusedLinesAgain, "MOV-005"),
    (HidesFees, "MOV-006"),
    (ForgetsReceiptsOfTheNight, "MOV-007"),
    (SendsOneLineAtATime, "MOV-008"),
    (ReportsFeesWithTheStatement, "MOV-009"),
    (TurnsReleasesRound, "MOV-010"),
    (StatementsDoNotAddUp, "STMT-001"),
    (OpensEveryDayAtNought, "STMT-002"),
    (LeavesALineOut, "STMT-003"),
    (ForgetsADay, "STMT-004"),
    (StatesUnderTheNextDay, "STMT-005"),
    (RoundsScores, "RISK-001"),
)


def _says(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


FAULTS: tuple[Fault, ...] = (
    *(Fault(t.__name__, _says(t), f"B-{number}", _by_transport(t), t in ABOUT_TIME) for t, number in TRANSPORT_FAULTS),
    Fault("SendsNaiveTimes", "Times lose their offset on the way.", "B-TIME-001", _by_transport(_NaiveTimes)),
    *(Fault(b.__name__, _says(b), f"B-{number}", _by_bank(b)) for b, number in OWN),
)
