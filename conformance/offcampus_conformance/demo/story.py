"""The story: an institution connects, files, sells, teaches, reports, is paid, and refunds a family that leaves.

Each step says who did what and what came of it; each `refused` step breaks one rule on purpose and must be refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
from offcampus_sdk import Client, Key, models
from offcampus_sdk.errors import ProblemError

from offcampus_conformance.demo.processes import Cast, Process, control_url
from offcampus_conformance.standins.patience import PATIENT
from offcampus_conformance.synthetic import SHANGHAI, Document, Synthetic

DAY_S = 86_400
PATIENCE_S = 90.0


class StoryBroken(Exception):
    """A step did not go as it must; the message says which and what came instead."""


@dataclass
class Family:
    """One family of the story: never by name, only by letter and pseudonyms."""

    letter: str
    ids: dict[str, str] = field(default_factory=dict)
    records: dict[int, str] = field(default_factory=dict)


@dataclass
class Story:
    """Everybody who acts, and what they know so far."""

    cast: Cast
    make: Synthetic
    tell: Callable[[str], None]
    ids: dict[str, str] = field(default_factory=dict)
    families: list[Family] = field(default_factory=list)
    refusals: int = 0

    def __post_init__(self) -> None:
        self.guardian_app = self._client("guardian_app")
        self.county = self._client("authority")
        self.province = self._client("province")

    def _client(self, party: str) -> Client:
        key = Key.load(self.cast.key_file(party))
        return Client(self.cast.platform, self.cast.clients[party], key, policy=PATIENT, language="en")

    def vendor(self, action: str, document: Document) -> Document:
        """Ask the vendor's system to act. Raises StoryBroken when the platform refuses."""
        return _act(self.cast.vendor, action, document, refusal=None)

    def vendor_refused(self, what: str, action: str, document: Document, code: str) -> None:
        """Ask the vendor's system to act; the platform must refuse with this code."""
        _act(self.cast.vendor, action, document, refusal=code)
        self._refused(what, code)

    def bank(self, action: str, document: Document) -> Document:
        """Ask the bank's counter."""
        return _act(self.cast.bank, action, document, refusal=None)

    def refused(self, what: str, code: str, step: Callable[[], Any]) -> None:
        """A step through the SDK that must be refused with this code (or a violation of it)."""
        try:
            step()
        except ProblemError as error:
            codes = {error.code, *(str(violation.get("code")) for violation in error.violations)}
            if code not in codes:
                raise StoryBroken(f"{what}: refused as {error.code}, expected {code}") from None
            self._refused(what, code)
            return
        raise StoryBroken(f"{what} was not refused")

    def _refused(self, what: str, code: str) -> None:
        self.refusals += 1
        self.tell(f"      refused: {what} [{code}]")

    def shift(self, days: int) -> None:
        """Let days pass for everybody."""
        path = self.cast.clock_file
        offset = json.loads(path.read_text(encoding="utf-8"))["offset_seconds"] + days * DAY_S
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps({"offset_seconds": offset}), encoding="utf-8")
        temporary.replace(path)

    def now(self) -> datetime:
        """The business instant."""
        offset = json.loads(self.cast.clock_file.read_text(encoding="utf-8"))["offset_seconds"]
        return datetime.now(SHANGHAI) + timedelta(seconds=offset)

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait for what other processes do. Raises StoryBroken."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise StoryBroken(f"waited in vain until {what}")
            time.sleep(0.1)

    def order(self, family: Family) -> models.OrderResource:
        """A family's order as the platform has it."""
        return self.guardian_app.orders.get(family.ids["order"])


def open_institution(story: Story) -> None:
    """The institution connects, files its particulars, and is approved by whoever is competent."""
    tell, make, ids = story.tell, story.make, story.ids
    tell("1  The institution files its particulars (Article 11)")
    document = make.institution()
    bad = {**document, "external_id": document["external_id"] + "-x", "uscc": _one_digit_off(document["uscc"])}
    story.vendor_refused("a credit code with a wrong check digit", "file_institution", bad, "identifier.check_digit")
    ids["institution"] = story.vendor("file_institution", document)["id"]
    filed = story.county.institutions.get(ids["institution"])
    story.refused(
        "the province approves an offline institution", "auth.region",
        lambda: story.province.institutions.approve(filed),
    )  # fmt: skip
    if story.county.institutions.get(ids["institution"]).state != "approved":
        story.county.institutions.approve(filed)
    tell("      the county approves it")
    ids["campus"] = story.vendor("add_campus", make.campus(ids["institution"]))["id"]
    barred = make.staff(ids["institution"])
    barred |= {"external_id": barred["external_id"] + "-x", "clearance": {**barred["clearance"], "result": "hit"}}
    story.vendor_refused("a teacher whom the clearance query bars", "add_staff", barred, "staff.barred")
    ids["staff"] = story.vendor("add_staff", make.staff(ids["institution"]))["id"]


def open_course(story: Story) -> None:
    """A course is filed under the rules, approved, and a class opens with its lessons."""
    tell, make, ids = story.tell, story.make, story.ids
    tell("2  A course is put on sale")
    course = make.course(ids["institution"], ids["campus"])
    course |= {"starts_on": make.day(1), "ends_on": make.day(75)}
    kid = {
        **course, "external_id": course["external_id"] + "-x", "stages": ["preschool_3_6"], "grades": ["preschool"],
        "delivery": "online", "minutes_per_class_hour": 30, "lesson_minutes": 30,
    }  # fmt: skip
    story.vendor_refused("online training of preschool children", "file_course", kid, "course.preschool_online")
    ids["course"] = story.vendor("file_course", course)["id"]
    filed = story.county.courses.get(ids["course"])
    if filed.state != "on_sale":
        story.county.courses.approve(filed)
    tell("      the county approves the course")
    school_class = make.school_class(ids["institution"], ids["course"], ids["campus"], ids["staff"])
    ids["class"] = story.vendor("open_class", school_class)["id"]
    lessons = [_lesson(story, number) for number in range(1, 7)]
    late = {"starts_at": make.at(9, 19, 30), "ends_at": make.at(9, 20, 45)}
    batch = story.vendor("schedule_lessons", {"items": [*lessons, {**_lesson(story, 99), **late}]})
    for number, result in enumerate(batch["results"][:6], 1):
        ids[f"lesson.{number}"] = result["id"]
    story._refused("a lesson that ends at 20:45", batch["results"][6]["problem"]["violations"][0]["code"])


def join(story: Story, family: Family, number: int, *, with_refusals: bool) -> None:
    """A family signs, orders, and pays into custody through two channels."""
    make, ids = story.make, {**story.ids, **family.ids}
    child = make.pupil(ids["institution"], number)
    pupil = story.vendor("register_pupil", child)
    family.ids |= {"pupil": pupil["id"], "guardian": pupil["guardians"][0]["id"]}
    ids |= family.ids
    contract = make.contract(ids["institution"], ids["course"], ids["pupil"], ids["guardian"], number)
    contract["signed_on"] = make.day(0)
    family.ids["contract"] = ids["contract"] = story.vendor("sign_contract", contract)["id"]
    lawful = make.order(
        ids, number, ordered_at=(story.now() - timedelta(minutes=1)).isoformat(timespec="seconds"),
        service_from=make.day(1), service_until=make.day(75),
    )  # fmt: skip
    if with_refusals:
        _unlawful_orders(story, lawful)
    family.ids["order"] = story.vendor("place_order", lawful)["id"]
    pay(story, family, number, with_refusals=with_refusals)
    story.tell(f"      family {family.letter} buys 40 class hours for 4,800.00 yuan and pays through two channels")


def pay(story: Story, family: Family, number: int, *, with_refusals: bool) -> None:
    """The payment is promised, the money arrives at the bank, the bank reports it."""
    payment = models.Payment(
        external_id=f"pay-{story.make.tag}-{number}",
        order_id=family.ids["order"],
        parts=[
            models.PaymentPart(channel="wechat", amount_fen=300_000, payer_reference="wx***"),
            models.PaymentPart(channel="bank_card", amount_fen=180_000, payer_reference="6222***"),
        ],
        payer=models.PaymentPayer(guardian_id=family.ids["guardian"]),
    )
    if with_refusals:
        story.refused(
            "a payment before there is a custody account", "custody.account_missing",
            lambda: story.guardian_app.payments.create(payment),
        )  # fmt: skip
    story.ids["account"] = story.bank("open_account", {"institution_id": story.ids["institution"]})["id"]
    promised = story.guardian_app.payments.create(payment)
    for part in promised.parts:
        deposit = {
            "account_id": story.ids["account"], "payment_id": promised.id, "part_no": part.part_no,
            "amount_fen": part.amount_fen,
        }  # fmt: skip
        story.bank("deposit", deposit)
        story.bank("deposit", deposit)  # a channel that says everything twice changes nothing
    story.until(f"family {family.letter} has paid", lambda: story.order(family).state == "paid")


def teach(story: Story) -> None:
    """Four lessons are taught and reported, with records among them that must be refused."""
    story.shift(9)
    story.tell("4  Four lessons are taught and reported")
    for family in story.families:
        ids = {**story.ids, **family.ids}
        records = [_record(story, family, ids, number) for number in (1, 2, 3, 4)]
        future = _record(story, family, ids, 6) | {"external_id": f"con-{family.letter}-{story.make.tag}-future"}
        again = {**records[0], "external_id": records[0]["external_id"] + "-again"}
        report = story.vendor("report_consumption", {"items": [*records, future, again]})
        for number, record in enumerate(records, 1):
            family.records[number] = report["ids"][record["external_id"]]
        if family is story.families[0]:
            for entry in report["refused"]:
                story._refused("a record that cannot be true", entry["code"])


def decide(story: Story) -> None:
    """Family A confirms one lesson and disputes another; the others say nothing until silence has run out."""
    tell, first = story.tell, story.families[0]
    tell("5  Family A confirms one lesson and disputes another; families B and C are silent")
    app = story.guardian_app
    record = app.consumption_records.get(first.records[1])
    if record.state == "reported":
        record = app.consumption_records.confirm(record)
    story.refused("confirming twice", "resource.state", lambda: app.consumption_records.confirm(record))
    disputed = app.consumption_records.get(first.records[2])
    if disputed.state == "reported":
        disputed = app.consumption_records.dispute(disputed, models.Dispute(reason="not_taught", text="当日未上课"))
    resolution = models.DisputeResolution(ruling="uphold_parent", text="考勤记录不足以证明授课")
    current = story.county.consumption_records.get(disputed.id)
    if current.state == "disputed":
        story.county.consumption_records.resolve_dispute(current, resolution)
    tell("      the county rules for the family: that record is void")
    story.shift(23)
    story.until("silence has confirmed the rest", lambda: all(_all_decided(story, f) for f in story.families))
    tell("      fifteen working days later silence has confirmed the rest")
    story.until("the bank has released", lambda: all(_released(story, f) for f in story.families))
    tell("      the bank has released what the confirmed lessons earned")


def leave(story: Story) -> None:
    """Family A leaves with the institution's consent, family C against its silence; nobody is refunded twice."""
    tell = story.tell
    tell("6  Families A and C leave; B stays")
    for family, number in ((story.families[0], 1), (story.families[2], 3)):
        quote = story.guardian_app.orders.quote_refund(family.ids["order"])
        tell(f"      family {family.letter}: " + "; ".join(f"{w.text_en} {yuan(w.amount_fen)}" for w in quote.working))
        refund = _request(story, family, number)
        second = models.Refund(
            external_id=f"rfd-{story.make.tag}-{number}-second", order_id=family.ids["order"],
            reason="guardian_choice", requested_at=_stamp(story), asked_by="guardian",
        )  # fmt: skip
        story.refused(
            "a second refund of the same hours", "refund.in_progress",
            lambda second=second: story.guardian_app.refunds.request(second),  # type: ignore[misc]
        )  # fmt: skip
        family.ids["refund"] = refund.id
    if story.guardian_app.refunds.get(story.families[0].ids["refund"]).state == "requested":
        story.vendor("approve_refund", {"id": story.families[0].ids["refund"]})
    story.shift(9)
    for family in (story.families[0], story.families[2]):
        story.until(f"family {family.letter} has its money back", lambda f=family: _paid_back(story, f))  # type: ignore[misc]
    tell("      A's refund was agreed to, C's by the institution's silence of five working days; both are paid back")


def yuan(fen: int) -> str:
    """An amount for people."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _unlawful_orders(story: Story, lawful: Document) -> None:
    def tuition(fen: int) -> Document:
        return {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": fen}], "total_fen": fen}

    for what, changes, code in (
        ("61 class hours at once", {"class_hours_centi": 6100}, "precharge.hours_exceeded"),
        ("5,000.01 yuan at once", tuition(500_001), "precharge.amount_exceeded"),
        ("more than three months at once", {"service_until": story.make.day(130)}, "precharge.period_exceeded"),
        ("a training loan", {"training_loan": True}, "precharge.loan"),
        ("a total one fen off", {"total_fen": 479_999}, "money.sum_mismatch"),
    ):
        document = {**lawful, **changes, "external_id": f"{lawful['external_id']}-{code.rpartition('.')[2]}"}
        story.vendor_refused(what, "place_order", document, code)


def _request(story: Story, family: Family, number: int) -> models.RefundResource:
    wanted = f"rfd-{story.make.tag}-{number}"
    known = story.guardian_app.refunds.find(wanted)
    return known or story.guardian_app.refunds.request(
        models.Refund(
            external_id=wanted, order_id=family.ids["order"], reason="guardian_choice", requested_at=_stamp(story),
            asked_by="guardian",
        )
    )  # fmt: skip


def _lesson(story: Story, number: int) -> Document:
    lesson = story.make.lesson(number, story.ids["institution"], story.ids["class"], story.ids["staff"])
    day = number if number < 6 else 20
    return {**lesson, "starts_at": story.make.at(day, 10), "ends_at": story.make.at(day, 11, 30)}


def _record(story: Story, family: Family, ids: dict[str, str], number: int) -> Document:
    make = story.make
    day = number if number < 6 else 20
    return {
        **make.consumption(number, ids, ids[f"lesson.{number}"]),
        "external_id": f"con-{family.letter}-{make.tag}-{number}",
        "occurred_from": make.at(day, 10),
        "occurred_until": make.at(day, 11, 30),
        "proof": {"kind": "roll_call", "reference": f"roll-{number}", "recorded_at": make.at(day, 11, 31)},
        "notified_at": make.at(day, 12),
    }


def _stamp(story: Story) -> str:
    return (story.now() - timedelta(seconds=30)).isoformat(timespec="seconds")


def _all_decided(story: Story, family: Family) -> bool:
    records = story.guardian_app.consumption_records.list(order_id=family.ids["order"])
    return all(record.state in ("confirmed", "void") for record in records)


def _released(story: Story, family: Family) -> bool:
    order = story.order(family)
    return order.pending_release_fen == 0 and order.released_fen > 0


def _paid_back(story: Story, family: Family) -> bool:
    return story.guardian_app.refunds.get(family.ids["refund"]).state == "paid"


def _one_digit_off(code: str) -> str:
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def _act(process: Process, action: str, document: Document, refusal: str | None) -> Document:
    response = httpx2.post(f"{control_url(process)}/actions/{action}", json=document, timeout=180, trust_env=False)
    answer: Document = response.json()
    refused = answer.get("refused", {}) if response.status_code == 422 else {}
    codes = {refused.get("code"), *(violation.get("code") for violation in refused.get("violations", []))}
    if refusal is None and response.status_code != 200:
        raise StoryBroken(f"{process.name} {action}: {response.status_code} {json.dumps(answer)[:500]}")
    if refusal is not None and refusal not in codes:
        raise StoryBroken(
            f"{process.name} {action}: expected {refusal}, got {response.status_code} {sorted(map(str, codes))}"
        )
    return answer
