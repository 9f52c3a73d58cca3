"""Any sequence of steps, lawful or not: the platform's sums are those of a model of forty lines, at every step.

Buy, pay, report, confirm, dispute, rule, ask for a refund, agree, execute, fail, report twice, let days pass.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from direct import direct
from fourteen import AT_THE_END, every_row_is_proven, hold
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model import Model
from money import (
    accept,
    approve,
    ask,
    balanced,
    dispute,
    execute,
    fail,
    line,
    object_to,
    open_family,
    report_lines,
    resolve,
    rule_on,
    sums,
    surely_failed,
    sweep,
)
from offcampus_server.funds.releases import release_waiting
from offcampus_server.refunds.service import pay_again
from world import Document, World

LESSONS = 8


class Money(RuleBasedStateMachine):
    """One order of eight lessons on a world that all examples share; the model says what each step must do."""

    world: World

    @initialize(
        price=st.one_of(st.integers(2, 9), st.integers(10, 500_000)), share=st.integers(1, 99),
        whole=st.sampled_from([True, True, True, False]), taught=st.integers(0, 4),
    )  # fmt: skip
    def buy(self, price: int, share: int, whole: bool, taught: int) -> None:
        """An order in two parts; most often paid and begun at once, so that the later steps are reached."""
        self.world.shift(seconds=-self.offset)
        open_family(self.world)
        self.world.open_account()
        lines = [{"kind": "tuition", "title": "学费", "amount_fen": price}]
        self.world.buy(paid=False, class_hours_centi=LESSONS * 200, price_lines=lines, total_fen=price)
        first = max(price * share // 100, 1)
        self.parts = {1: first, 2: price - first} if price > first else {1: price}
        payment = {
            "external_id": self.world.fresh("pay"), "order_id": self.world.ids["order"],
            "parts": [{"channel": "wechat", "amount_fen": fen, "payer_reference": "w"} for fen in self.parts.values()],
            "payer": {"guardian_id": self.world.ids["guardian"]},
        }  # fmt: skip
        self.world.ids["payment"] = self.world.ok(self.world.guardian_app.post("/v1/payments", payment))["id"]
        self.model = Model(price, LESSONS)
        self.arrived: set[int] = set()
        self.records: dict[str, str] = {}
        self.disputed: dict[str, Document] = {}
        self.told: list[Document] = []
        self.refund: Document | None = None
        self.agreed = False
        self.days = 0
        self.unreported = list(range(1, LESSONS + 1))
        for number in range(len(self.parts)) if whole else ():
            self.receipt(number, 0)
        if whole and taught:
            self.report(taught)

    @property
    def offset(self) -> int:
        return int(json.loads((self.world.folder / "clock.json").read_text())["offset_seconds"])

    @property
    def state(self) -> str:
        return str(self.world.order()["state"])

    # --- the family pays ---

    @precondition(lambda self: len(self.arrived) < len(self.parts) and not self.refund)
    @rule(which=st.integers(0, 1), wrong=st.sampled_from([0, 0, 0, -1, 1]))
    def receipt(self, which: int, wrong: int) -> None:
        """The bank reports a part, sometimes with another sum: only the right one counts, once."""
        number = sorted(self.parts)[which % len(self.parts)]
        fen = self.parts[number] + wrong
        if fen < 1:
            return
        sent = self.world.receipt_document(number, fen)
        report_lines(self.world, sent)
        self.told.append(sent)
        if wrong == 0 and number not in self.arrived:
            self.arrived.add(number)
            self.model.paid += fen

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def told_again(self, data: st.DataObject) -> None:
        """A line is reported again: a duplicate that changes nothing."""
        (result,) = report_lines(self.world, data.draw(st.sampled_from(self.told)))
        assert result["outcome"] == "duplicate"

    # --- lessons ---

    @precondition(lambda self: self.paid_whole and self.unreported and not self.refund)
    @rule(count=st.integers(1, 3))
    def report(self, count: int) -> None:
        """The institution reports lessons."""
        numbers, self.unreported = self.unreported[:count], self.unreported[count:]
        self.records |= dict.fromkeys(self.world.report(*numbers), "reported")
        self.model.reported += len(numbers)

    @precondition(lambda self: "reported" in self.records.values())
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        """The guardian confirms: the earned share is asked for."""
        record = data.draw(st.sampled_from(self.which("reported")))
        self.world.ok(self.world.confirm(record))
        self.records[record] = "confirmed"
        self.model.confirmed += 1
        self.instructed("release", self.model.release_due())

    @precondition(lambda self: "confirmed" in self.records.values())
    @rule(data=st.data())
    def confirm_again(self, data: st.DataObject) -> None:
        """A second confirmation is refused and moves nothing."""
        record = data.draw(st.sampled_from(self.which("confirmed")))
        assert self.world.confirm(record, 2).status_code in (409, 412)

    @precondition(lambda self: "reported" in self.records.values())
    @rule(data=st.data())
    def dispute(self, data: st.DataObject) -> None:
        """The guardian disputes."""
        record = data.draw(st.sampled_from(self.which("reported")))
        self.disputed[record] = dispute(self.world, record)
        self.records[record] = "disputed"

    @precondition(lambda self: self.disputed)
    @rule(data=st.data(), ruling=st.sampled_from(["uphold_parent", "uphold_institution"]))
    def rule_on(self, data: st.DataObject, ruling: str) -> None:
        """The authority rules: for the family the share goes back (or stays free), else it is earned."""
        record = data.draw(st.sampled_from(sorted(self.disputed)))
        resolve(self.world, self.disputed.pop(record), ruling)
        if ruling == "uphold_institution":
            self.records[record] = "confirmed"
            self.model.confirmed += 1
            self.instructed("release", self.model.release_due())
        else:
            self.records[record] = "void"
            self.model.reported -= 1
            if self.agreed:
                self.instructed("refund", self.model.refund_due())

    @precondition(lambda self: "reported" in self.records.values())
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """The institution takes a record back that nobody has confirmed: its hours and its share are free again."""
        record = data.draw(st.sampled_from(self.which("reported")))
        document = self.world.record_document(1, type="reversal", reverses=record)
        del document["lesson_id"], document["teacher_id"], document["place"]
        answer = self.world.vendor.post("/v1/consumption-records/batch", {"items": [document]})
        assert [result["outcome"] for result in self.world.ok(answer)["results"]] == ["accepted"], answer.json
        self.records[record] = "void"
        self.model.reported -= 1
        if self.agreed:
            self.instructed("refund", self.model.refund_due())

    # --- the family leaves ---

    @precondition(lambda self: self.model.paid)
    @rule(by=st.sampled_from([None, None, None, "guardian_app", "vendor"]))
    def ask(self, by: str | None) -> None:
        """Now and then somebody asks for a refund; a second time, or for nothing, it is refused."""
        if by is None:
            return
        answer = ask(self.world, by=by)
        if self.refund is not None:
            assert answer.json["code"] in ("refund.in_progress", "refund.nothing_left")
        elif self.model.refund_due() == 0:
            assert answer.json["code"] == "refund.nothing_left"
        else:
            self.refund, due = self.world.ok(answer, 201), self.model.refund_due()
            assert self.refund["amount_fen"] == due
            # An order that is not paid whole cannot have been taught: nobody is waited for.
            self.agreed = not self.paid_whole
            assert (self.refund["state"] == "paying") is self.agreed
            self.instructed("refund", due if self.agreed else 0)

    @precondition(lambda self: self.refund and not self.agreed)
    @rule()
    def agree(self) -> None:
        """The institution agrees: the bank is asked, by channel."""
        assert self.refund is not None
        due = self.model.refund_due()
        current = self.world.ok(self.world.vendor.get(f"/v1/refunds/{self.refund['id']}"))
        assert self.world.ok(approve(self.world, current))["amount_fen"] == due
        self.agreed = True
        self.instructed("refund", due)

    @precondition(lambda self: self.refund and not self.agreed)
    @rule(ruling=st.sampled_from(["uphold_parent", "uphold_institution"]))
    def object(self, ruling: str) -> None:
        """The institution objects, and the authority rules: all of it is agreed to, or the order goes on."""
        assert self.refund is not None
        due = self.model.refund_due()
        current = self.world.ok(self.world.vendor.get(f"/v1/refunds/{self.refund['id']}"))
        objected = self.world.ok(object_to(self.world, current))
        ruled = self.world.ok(rule_on(self.world, objected, ruling))
        if ruling == "uphold_parent":
            assert ruled["amount_fen"] == due
            self.agreed = True
            self.instructed("refund", due)
        else:
            assert ruled["state"] == "rejected"
            self.refund = None

    # --- the bank acts ---

    @precondition(lambda self: self.model.held)
    @rule(data=st.data(), accepted=st.booleans(), told=st.booleans())
    def execute(self, data: st.DataObject, accepted: bool, told: bool) -> None:
        """The bank moves the money, reports it twice, and tells its line before or after."""
        instruction = data.draw(st.sampled_from(sorted(self.model.held)))
        if accepted:
            self.world.ok(accept(self.world, instruction))
        if told:
            asked = self.world.ok(self.world.bank.get(f"/v1/custody-instructions/{instruction}"))
            sent = line(self.world, asked)
            report_lines(self.world, sent)
            self.told.append(sent)
        self.world.ok(execute(self.world, instruction))
        self.world.ok(execute(self.world, instruction))
        assert fail(self.world, instruction).status_code == 409
        self.model.moved(instruction)

    @precondition(lambda self: self.model.held)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """The bank says that it has not moved the money: it stays held until the day is closed."""
        instruction = data.draw(st.sampled_from(sorted(self.model.held)))
        self.world.ok(fail(self.world, instruction))
        self.model.bounced(instruction)

    @precondition(lambda self: self.days < 10)
    @rule()
    def a_day_passes(self) -> None:
        """The bank closes its day, and what failed is asked for again, once. Disputes stay possible."""
        self.days += 1
        surely_failed(self.world)
        freed = self.model.day_closed()
        sweep(self.world, release_waiting)
        due = self.model.release_due() if freed else 0
        self.instructed("release", due)
        sweep(self.world, pay_again)
        again, self.model.failed = self.model.failed, 0
        self.instructed("refund", again)

    # --- what must be true ---

    @invariant()
    def the_sums_are_the_models(self) -> None:
        """At every step, and never below zero."""
        if hasattr(self, "model"):
            found = sums(self.world)
            assert found == self.model.sums()
            assert min(found.values()) >= 0
            assert found["released"] + found["pending_release"] <= self.model.earned(self.model.confirmed)

    @invariant()
    def raw_rows_agree(self) -> None:
        """Ten of the fourteen invariants, of this order and its institution."""
        if hasattr(self, "model"):
            hold(self.world, self.world.ids["order"])

    def teardown(self) -> None:
        """In the end the bank does what it was asked: every fen has its place, and the whole ledger agrees."""
        if not hasattr(self, "model"):
            return
        for _ in range(2):
            for instruction in sorted(self.model.held):
                self.world.ok(execute(self.world, instruction))
                self.model.moved(instruction)
            self.a_day_passes()
        assert balanced(self.world) == self.model.sums()
        hold(self.world, self.world.ids["order"], AT_THE_END)
        open_lessons = {"reported", "disputed"} & set(self.records.values())
        if self.agreed and not open_lessons:
            assert self.model.escrow == 0
            assert self.state == "closed"

    # --- what the steps share ---

    @property
    def paid_whole(self) -> bool:
        return self.model.paid == self.model.price

    def which(self, state: str) -> list[str]:
        return [record for record, found in self.records.items() if found == state]

    def instructed(self, kind: str, expected: int) -> None:
        """The bank has new instructions of this kind for exactly this sum."""
        items: list[Any] = []
        for state in ("issued", "accepted"):
            query = {"state": state, "account_id": self.world.ids["account"], "limit": 200}
            items += self.world.ok(self.world.bank.get("/v1/custody-instructions", **query))["items"]
        new = [item for item in items if item["id"] not in self.model.held]
        assert {item["kind"] for item in new} <= {kind}
        assert sum(item["amount_fen"] for item in new) == expected
        self.model.held |= {item["id"]: (item["kind"], item["amount_fen"]) for item in new}


def play(world: World, examples: int, steps: int) -> None:
    """Play examples on one world."""
    world.open_class()

    class OnThisWorld(Money):
        pass

    OnThisWorld.world = world
    run_state_machine_as_test(
        OnThisWorld,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )  # fmt: skip
    every_row_is_proven(world)


def test_any_sequence_of_steps_keeps_the_models_sums(world: World) -> None:
    """A few dozen lives of an order on each engine."""
    play(world, 25, 40)


@pytest.mark.slow
def test_many_sequences_of_steps_keep_the_models_sums(world: World) -> None:
    """The same for long."""
    play(world, 60, 50)


@pytest.mark.long
def test_two_thousand_sequences_of_steps_keep_the_models_sums(sqlite_world: World) -> None:
    """T6 of the test plan: 2,000 lives of at most fifty steps, without HTTP and signatures in between."""
    play(direct(sqlite_world), 2000, 50)
