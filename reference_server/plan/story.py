"""The steps of an order's life on a site, in order to stand where an operation may be tried. Prices are whole yuan."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from offcampus_server.kernel.clock import rfc3339

from plan.ground import Site
from plan.town import LESSON_CENTI, Family, lesson_starts

Document = dict[str, Any]
PRICE_FEN, LESSONS = 100_000, 10


@dataclass
class Story:
    """One family's order at a site, and what was made on the way."""

    site: Site
    family: int = 0
    order_id: str = ""
    payment_id: str = ""
    records: list[Document] = field(default_factory=list)
    refund: Document = field(default_factory=dict)

    @property
    def _family(self) -> Family:
        return self.site.town.families[self.family]

    @property
    def account_id(self) -> str:
        return self.site.town.accounts[0]

    @property
    def now(self) -> str:
        return rfc3339(self.site.clock.now())

    def ok(self, party: str, operation: str, body: Any = None, if_match: int | None = None, **path: str) -> Document:
        """A step that takes."""
        answer: Document = self.site.serve(party, operation, path, body, if_match=if_match).body
        return answer

    # --- documents ---

    def order_document(self) -> Document:
        ordered_at, town = self.site.clock.now() - timedelta(days=28), self.site.town
        return {
            "external_id": self.site.fresh("ord"), "institution_id": town.institution_id,
            "pupil_id": self._family.pupil_id, "guardian_id": self._family.guardian_id, "course_id": town.course_id,
            "contract_id": self._family.contract_id, "class_hours_centi": LESSONS * LESSON_CENTI,
            "gift_hours_centi": 0, "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": PRICE_FEN}],
            "total_fen": PRICE_FEN, "discount_fen": 0, "service_from": ordered_at.date().isoformat(),
            "service_until": (ordered_at.date() + timedelta(days=80)).isoformat(), "charge_method": "by_hours",
            "ordered_at": rfc3339(ordered_at), "renewal": False, "training_loan": False,
        }  # fmt: skip

    def payment_document(self) -> Document:
        part = {"channel": "wechat", "amount_fen": PRICE_FEN, "payer_reference": "w"}
        return {
            "external_id": self.site.fresh("pay"), "order_id": self.order_id, "parts": [part],
            "payer": {"guardian_id": self._family.guardian_id},
        }  # fmt: skip

    def line(self, kind: str, amount_fen: int, account_id: str | None = None, **named: Any) -> Document:
        """A line of the bank."""
        number = self.site.fresh("line")
        return {
            "external_id": number, "account_id": account_id or self.account_id, "kind": kind,
            "direction": "credit" if kind == "receipt" else "debit", "amount_fen": amount_fen, "booked_at": self.now,
            "value_on": self.now[:10], "bank_reference": f"B-{number}", "balance_after_fen": 0, **named,
        }  # fmt: skip

    def record_document(self, number: int) -> Document:
        """Lesson `number` of the class, taught on the day after the `number`th of the town."""
        starts, town = lesson_starts(number), self.site.town
        return {
            "external_id": self.site.fresh("con"), "institution_id": town.institution_id, "order_id": self.order_id,
            "lesson_id": town.lessons[number], "type": "lesson", "class_hours_centi": LESSON_CENTI,
            "teacher_id": town.staff_id, "occurred_from": rfc3339(starts),
            "occurred_until": rfc3339(starts + timedelta(minutes=90)), "place": {"room": "101"},
            "proof": {"kind": "roll_call", "reference": "r", "recorded_at": rfc3339(starts + timedelta(minutes=91))},
            "notified_at": self.now,
        }  # fmt: skip

    def refund_document(self) -> Document:
        return {
            "external_id": self.site.fresh("rfd"), "order_id": self.order_id, "reason": "guardian_choice",
            "requested_at": self.now, "asked_by": "guardian",
        }  # fmt: skip

    # --- steps ---

    def bought(self) -> Story:
        """An order that awaits its payment."""
        self.order_id = self.ok("vendor", "createOrder", self.order_document())["id"]
        return self

    def promised(self) -> Story:
        """A payment that the bank has not reported."""
        self.bought()
        self.payment_id = self.ok("guardian_app", "createPayment", self.payment_document())["id"]
        return self

    def paid(self) -> Story:
        """The whole price in custody."""
        self.promised()
        line = self.line("receipt", PRICE_FEN, payment_id=self.payment_id, part_no=1)
        self.ok("bank", "reportCustodyMovements", {"items": [line]})
        return self

    def taught(self, lessons: int = 2) -> Story:
        """Lessons reported, none confirmed."""
        self.paid()
        items = [self.record_document(number + 2) for number in range(lessons)]
        told = self.ok("vendor", "reportConsumption", {"items": items})
        self.records = [{"id": result["id"], "version": 1} for result in told["results"]]
        return self

    def released(self) -> Story:
        """A lesson confirmed, its money asked for."""
        self.taught()
        record = self.records[0]
        self.ok("guardian_app", "confirmConsumption", {}, record["version"], consumption_record_id=record["id"])
        return self

    def asked(self) -> Story:
        """A refund asked for, which the institution is to answer."""
        self.taught()
        self.refund = self.ok("guardian_app", "requestRefund", self.refund_document())
        return self

    def objected(self) -> Story:
        """The institution has said no."""
        self.asked()
        body = {"ground": "other", "reason": "课时有争议"}
        self.refund = self.ok("vendor", "objectToRefund", body, self.refund["version"], refund_id=self.refund["id"])
        return self

    def disputed(self) -> Story:
        """A lesson that the family disputes."""
        self.taught()
        record, body = self.records[0], {"reason": "not_taught"}
        self.records[0] = self.ok(
            "guardian_app", "disputeConsumption", body, record["version"], consumption_record_id=record["id"]
        )
        return self

    def instruction(self) -> Document:
        """The newest instruction."""
        found = self.site.rows("SELECT id, amount_fen, account_id, kind FROM custody_instructions ORDER BY id DESC")[0]
        return dict(zip(("id", "amount_fen", "account_id", "kind"), found, strict=True))

    def account(self) -> Document:
        """The account with its version."""
        return self.ok("bank", "getCustodyAccount", account_id=self.account_id)

    def differing(self, step: str = "") -> Document:
        """A difference on the work list: a line came that names a payment that nobody knows."""
        self.promised()
        line = self.line("receipt", PRICE_FEN, payment_id="pay_" + "0" * 26, part_no=1)
        self.ok("bank", "reportCustodyMovements", {"items": [line]})
        ((id, version),) = self.site.rows("SELECT id, version FROM differences")
        if step == "proposed":
            return self.ok("authority", "proposeSettlement", self.proposal(), version, difference_id=id)
        return {"id": id, "version": version}

    def proposal(self) -> Document:
        return {
            "action": "book_receipt", "officer": "OFF-1", "note": "回单已核对", "payment_id": self.payment_id,
            "part_no": 1,
        }  # fmt: skip
