"""Faulty vendors: the good one with one thing wrong, and the check that must find it."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
from offcampus_sdk import models
from offcampus_sdk.errors import OffcampusError, ProblemError, ServerTrouble, TransportTrouble
from offcampus_sdk.signing import SignatureError, verify_event
from offcampus_sdk.transport import Transport
from offcampus_sdk.webhooks import Receiver
from offcampus_spec.operations import Operation

from offcampus_conformance.standins import outbox
from offcampus_conformance.standins.faults.connecting import ABOUT_TIME as ABOUT_TIME_TOO
from offcampus_conformance.standins.faults.connecting import TRANSPORT_FAULTS
from offcampus_conformance.standins.faults.kit import Fault, Headers, Sent, Spoiled, Witness, with_witness
from offcampus_conformance.standins.faults.lax_receiver import wrong_with
from offcampus_conformance.standins.good_vendor import GoodVendor

Document = dict[str, Any]


class FaultyVendor(GoodVendor):
    """A vendor that changes what it is given, or leaves something out. `witness` notes when."""

    witness: Witness = Witness()

    def spoil(self, action: str, given: Document) -> Document:
        """What an action is carried out with."""
        return given

    def touches(self, action: str) -> None:
        """The fault is active in this action."""
        self.witness.acted(action)

    def actions(self) -> dict[str, Any]:
        return {name: self._spoiled(name, action) for name, action in super().actions().items()}

    def _spoiled(self, name: str, action: Callable[[Document], Any]) -> Callable[[Document], Any]:
        def act(given: Document) -> Any:
            changed = self.spoil(name, json.loads(json.dumps(given)))
            if changed != given:
                self.touches(name)
                for operation in OPERATIONS.get(name, ()):
                    self.touches(operation)
            return action(changed)

        return act


OPERATIONS = {
    "register_pupil": ("registerPupil",), "add_material": ("createMaterial",), "place_order": ("createOrder",),
    "sign_contract": ("createContract",), "report_consumption": ("reportConsumption",),
    "schedule_lessons": ("scheduleLessons",), "request_refund": ("requestRefund",),
    "object_to_refund": ("objectToRefund",),
}  # fmt: skip
"""Which requests an action ends in."""


def _items(given: Document, change: Callable[[Document], Document]) -> Document:
    return {**given, "items": [change(item) for item in given["items"]]}


class CutsNames(FaultyVendor):
    """A column that is too narrow cuts names."""

    def spoil(self, action: str, given: Document) -> Document:
        return {**given, "name": given["name"][:4]} if action == "register_pupil" else given


class NormalisesTexts(FaultyVendor):
    """Texts are normalised by NFKC before they are stored."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "add_material":
            return {**given, "title": unicodedata.normalize("NFKC", given["title"])}
        return given


class LowersReferences(FaultyVendor):
    """References are compared without case, and stored in lower case."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "register_pupil":
            return {**given, "external_id": given["external_id"].lower()}
        return given


class TakesDatesInUtc(FaultyVendor):
    """The server runs on UTC, and so do its dates."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "sign_contract":
            before = date.fromisoformat(given["signed_on"]) - timedelta(days=1)
            return {**given, "signed_on": before.isoformat()}
        return given


class ForgetsTheDiscount(FaultyVendor):
    """The total is the sum of the lines; the discount is shown on paper only."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "place_order":
            return {**given, "total_fen": sum(line["amount_fen"] for line in given["price_lines"])}
        return given


class WritesYuanForFen(FaultyVendor):
    """Amounts are yuan in the product, and nobody multiplied."""

    def spoil(self, action: str, given: Document) -> Document:
        if action != "place_order":
            return given
        lines = [{**line, "amount_fen": line["amount_fen"] // 100} for line in given["price_lines"]]
        discount = given["discount_fen"] // 100
        total = sum(line["amount_fen"] for line in lines) - discount
        return {**given, "price_lines": lines, "discount_fen": discount, "total_fen": total}


class SplitsOrders(FaultyVendor):
    """A purchase above a limit is split into two orders."""

    def place_order(self, given: Document) -> Any:
        hours, total = given["class_hours_centi"], given["total_fen"]
        self.touches("createOrder")
        for part, share in (("a", total // 2), ("b", total - total // 2)):
            lines = [{"kind": "tuition", "title": "学费", "amount_fen": share}]
            half = {**given, "external_id": f"{given['external_id']}-{part}", "class_hours_centi": hours // 2,
                    "price_lines": lines, "discount_fen": 0, "total_fen": share}  # fmt: skip
            answer = super().place_order(half)
        return answer


class SellsWhileSuspended(FaultyVendor):
    """Nobody told the shop that the institution is suspended."""

    def place_order(self, given: Document) -> Any:
        self.touches("createOrder")
        return self._kept("place_order", given)


class HidesRefusals(FaultyVendor):
    """A refused sale shows a green tick."""

    def place_order(self, given: Document) -> Any:
        try:
            return super().place_order(given)
        except ProblemError:
            self.touches("place_order")
            return {}


class CancelsOrdersAtHomeOnly(FaultyVendor):
    """A cancelled order is crossed out in the product and nowhere else."""

    def cancel_order(self, given: Document) -> Any:
        self.touches("cancel_order")
        return {}


class CancelsLessonsAtHomeOnly(FaultyVendor):
    """A cancelled lesson is crossed out in the product and nowhere else."""

    def cancel_lesson(self, given: Document) -> Any:
        self.touches("cancel_lesson")
        self._remember(given["id"], "cancelled")
        return {}


class ForgetsTheLastLesson(FaultyVendor):
    """An off-by-one leaves the last lesson of a timetable out."""

    def spoil(self, action: str, given: Document) -> Document:
        return {**given, "items": given["items"][:-1]} if action == "schedule_lessons" else given


class GivesOneReasonForAllRefunds(FaultyVendor):
    """Every refund is said to be the family's own choice."""

    def spoil(self, action: str, given: Document) -> Document:
        return {**given, "reason": "guardian_choice"} if action == "request_refund" else given


class KeepsConsentToItself(FaultyVendor):
    """Consent to a refund is noted in the product and not sent."""

    def approve_refund(self, given: Document) -> Any:
        self.touches("approve_refund")
        return {}


class ObjectsWithoutProof(FaultyVendor):
    """An objection leaves the records out."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "object_to_refund":
            objection = {name: value for name, value in given["objection"].items() if name != "records"}
            return {**given, "objection": objection}
        return given


class SendsRefusedRecordsAgain(FaultyVendor):
    """A batch that was not taken whole is sent once more, as it was."""

    def report_consumption(self, given: Document) -> Any:
        answer = super().report_consumption(given)
        if any(entry["code"] == "reference.not_found" for entry in answer["refused"]) and not self.done:
            self.done = True
            self.touches("reportConsumption")
            records = msgspec.convert(given["items"], type=list[models.ConsumptionRecord])
            self.client.consumption_records.report(records)
        return answer

    done = False


class ReportsLessonsTwice(FaultyVendor):
    """Every report makes new references for the same lessons."""

    count = 0

    def spoil(self, action: str, given: Document) -> Document:
        if action != "report_consumption":
            return given
        type(self).count += 1
        return _items(given, lambda item: {**item, "external_id": f"{item['external_id']}-{self.count}"})


class LeavesAbsencesOut(FaultyVendor):
    """Who was absent is not reported at all."""

    def spoil(self, action: str, given: Document) -> Document:
        if action != "report_consumption":
            return given
        kept = [item for item in given["items"] if item["type"] != "absence"]
        if len(kept) < len(given["items"]):
            self.touches("report_consumption")
        return {**given, "items": kept}


class SendsOneRecordAtATime(FaultyVendor):
    """Each record is a request of its own."""

    def report_consumption(self, given: Document) -> Any:
        self.touches("reportConsumption")
        answers = [super(SendsOneRecordAtATime, self).report_consumption({"items": [item]}) for item in given["items"]]
        return answers[-1]


class ReportsAtRollCall(FaultyVendor):
    """A lesson is reported when the roll is called."""

    def follow_clock(self, now: str) -> None:
        self.touches("reportConsumption")


class ReportsMinutes(FaultyVendor):
    """Hours are reported as the minutes of the lesson."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "report_consumption":
            return _items(given, lambda item: {**item, "class_hours_centi": 90})
        return given


class KnowsOneRoomOnly(FaultyVendor):
    """The room is the one of the last installation."""

    def spoil(self, action: str, given: Document) -> Document:
        if action == "report_consumption":
            return _items(given, lambda item: {**item, "place": {**item["place"], "room": "A-1"}})
        return given


class TakesTheWrongRecordBack(FaultyVendor):
    """A reversal names the first record of the lesson, whichever was wrong."""

    first = ""

    def spoil(self, action: str, given: Document) -> Document:
        if action != "report_consumption":
            return given
        return _items(given, lambda item: {**item, "reverses": self.first} if item["type"] == "reversal" else item)

    def report_consumption(self, given: Document) -> Any:
        answer = super().report_consumption(given)
        self.first = self.first or next((id for id in answer["ids"].values() if id), "")
        return answer


class CallsAbsencesLessons(FaultyVendor):
    """Everything is a lesson."""

    def spoil(self, action: str, given: Document) -> Document:
        if action != "report_consumption":
            return given
        return _items(given, lambda item: {**item, "type": "lesson"} if item["type"] == "absence" else item)


class ReportsDisputedLessonsAgain(FaultyVendor):
    """A dispute is answered by reporting the lesson once more."""

    def __init__(self, *given: Any, **how: Any) -> None:
        self.last: dict[str, Document] = {}
        super().__init__(*given, **how)

    def report_consumption(self, given: Document) -> Any:
        answer = super().report_consumption(given)
        for item in given["items"]:
            if id := answer["ids"].get(item["external_id"]):
                self.last[id] = item
        return answer

    def work(self) -> Any:
        for id, item in self.last.items():
            if self._state_of(id) == "disputed":
                self.touches("reportConsumption")
                self.client.consumption_records.report([msgspec.convert(item, type=models.ConsumptionRecord)])
        return super().work()


class ReportsCancelledLessons(FaultyVendor):
    """The roll call does not know the timetable."""

    def _untaught(self, document: Document) -> str | None:
        reason = super()._untaught(document)
        if reason == "lesson.cancelled":
            self.touches("reportConsumption")
            return None
        return reason


class TeachesAgainstClosedOrders(FaultyVendor):
    """The roll call does not know which orders are closed."""

    def _untaught(self, document: Document) -> str | None:
        reason = super()._untaught(document)
        if reason == "order.closed":
            self.touches("reportConsumption")
            return None
        return reason


class ReportsTheLatestFirst(FaultyVendor):
    """What waited is sent from the top of a stack."""

    def report_consumption(self, given: Document) -> Any:
        self._stack.append(given)
        try:
            self.client.capabilities.get()
        except (TransportTrouble, ServerTrouble):
            self.touches("reportConsumption")
            return {"waiting": len(given["items"]), "refused": [], "ids": {}}
        return self._unload()

    def work(self) -> Any:
        try:
            self.client.capabilities.get()
            self._unload()
        except (TransportTrouble, ServerTrouble):
            pass
        return super().work()

    def _unload(self) -> Any:
        answer: Any = {}
        while self._stack:
            answer = super().report_consumption(self._stack.pop())
        return answer

    def __init__(self, *given: Any, **how: Any) -> None:
        self._stack: list[Document] = []
        super().__init__(*given, **how)


class LosesItsQueue(FaultyVendor):
    """What cannot be sent is written to a log file."""

    def _kept(self, action: str, given: Document) -> Any:
        answer = super()._kept(action, given)
        if answer == {"waiting": 1}:
            for intent in outbox.waiting(self.books):
                self.touches("createMaterial")
                outbox.settle(self.books, intent, "refused")
        return answer


class RelabelsTimesAsUtc(FaultyVendor):
    """Local times go out with a Z."""

    def spoil(self, action: str, given: Document) -> Document:
        if action != "report_consumption":
            return given
        names = ("occurred_from", "occurred_until", "notified_at")
        return _items(given, lambda item: {**item, **{name: item[name].replace("+08:00", "Z") for name in names}})

    def follow_clock(self, now: str) -> None:
        """The shift would make it wait: it does not."""


class DoesNotComeBack(FaultyVendor):
    """After a restart the job that sends does not start."""

    stopped = False

    def restart(self, given: Document) -> Any:
        self.stopped = (self.state / "key.json").exists()
        return super().restart(given)

    def use_new_key(self, given: Document) -> Any:
        answer = super().use_new_key(given)
        self.stopped = False
        return answer

    def work(self) -> Any:
        if self.stopped:
            self.touches("work")
            raise OffcampusError("the scheduler is not running")
        return super().work()


class _NaiveTimes(Spoiled):
    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id == "requestRefund":
            content = content.replace(b"+08:00", b"")
            self.mark(operation, content)
        return url, headers, content


class _PersonalKeys(Spoiled):
    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id == "registerPupil":
            headers["Idempotency-Key"] = f"pupil-{msgspec.json.decode(content)['id_number']}"
            self.mark(operation, content)
        return url, headers, content


class SubscribesAgainAndAgain(FaultyVendor):
    """Each catching up makes a subscription of its own."""

    count = 0

    def sync_events(self, given: Document) -> Any:
        type(self).count += 1
        self.touches("createSubscription")
        self.subscribe({"external_id": f"sub-again-{self.count}-{time.time_ns()}"})
        return super().sync_events(given)


class ActsOnRepetitions(FaultyVendor):
    """Deliveries are verified, but not remembered."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        try:
            verify_event(self.address, headers, body, self.client.platform_keys(), int(time.time()))
            event = msgspec.json.decode(body, type=models.Event)
        except SignatureError as error:
            return 401, str(error)
        except msgspec.DecodeError:
            return 400, "no event"
        self.touches("delivery.repeated")
        with self._guard:
            self._note(event)
        return 204, ""


class ActsTwiceOnTwins(FaultyVendor):
    """Whether an event is known is asked before, and written down after, it is acted on."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        try:
            verify_event(self.address, headers, body, self.client.platform_keys(), int(time.time()))
            event = msgspec.json.decode(body, type=models.Event)
        except SignatureError as error:
            return 401, str(error)
        except msgspec.DecodeError:
            return 400, "no event"
        with self._guard:
            known = self.books.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone()
        if known is None:
            time.sleep(0.2)
            self.touches("delivery.twins.one")
            with self._guard:
                self._note(event)
        return 204, ""


class _LaxVendor(FaultyVendor):
    """Leaves one of the checks of a delivery out."""

    leaves_out = ""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        strict = wrong_with(headers, body, self.address, self.client.platform_keys(), "")
        lax = wrong_with(headers, body, self.address, self.client.platform_keys(), self.leaves_out)
        if strict is not None and lax is None:
            self.witness.acted(str(json.loads(body).get("id")))
            return 204, ""
        return super().webhook(headers, body)


class LooksAtNoDigest(_LaxVendor):
    """The signature is verified, the digest of the body is not."""

    leaves_out = "digest"


class LooksAtNoAge(_LaxVendor):
    """The signature is checked, its age never."""

    leaves_out = "age"


class TakesDeliveriesForOthers(_LaxVendor):
    """The address under the signature is the one that a proxy names."""

    leaves_out = "address"


class TakesUnsignedDeliveries(_LaxVendor):
    """A signature is verified where there is one."""

    leaves_out = "presence"


class LooksAtNoCoverage(_LaxVendor):
    """The signature may cover as little as it likes."""

    leaves_out = "coverage"


class TakesDeliveriesFromTheFuture(_LaxVendor):
    """Only the age is looked at, and in one direction."""

    leaves_out = "future"


class TrustsAnyKey(_LaxVendor):
    """A key that nobody knows is trusted at first sight."""

    leaves_out = "key"

    def __init__(self, *given: Any, **how: Any) -> None:
        self._published: list[dict[str, Any]] = []
        self._withdrawn = False
        super().__init__(*given, **how)

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        # A key that the platform has withdrawn is remembered as such: that it is no stranger is another fault.
        keys = self.client.platform_keys()
        self._withdrawn = self._withdrawn or any(key not in keys for key in self._published)
        self._published = keys
        if self._withdrawn:
            return GoodVendor.webhook(self, headers, body)
        return super().webhook(headers, body)


class CrashesOnUnknownTypes(FaultyVendor):
    """A type that is not in its table ends in an error."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if b"moon.landed" in body:
            self.touches("delivery.unknown-type")
            return 500, "unknown type"
        return super().webhook(headers, body)


class ChokesOnUnknownEventMembers(FaultyVendor):
    """An event with a member that is not in its class is refused."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if b"xtomorrow" in body:
            self.touches("delivery.unknown-members")
            return 400, "unknown member"
        return super().webhook(headers, body)


class DiesOfBadBodies(FaultyVendor):
    """A body that is no JSON ends the receiver's thread."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if not body.startswith(b"{"):
            self.touches("delivery.malformed")
            return 500, "Traceback"
        return super().webhook(headers, body)


class LetsOldEventsOverwrite(FaultyVendor):
    """The last delivery wins, whatever its sequence."""

    def _take(self, event: models.Event) -> None:
        super()._take(event)

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        status, text = super().webhook(headers, body)
        if status == 204:
            event = json.loads(body)
            if event["type"].startswith("cn.offcampus.order.") and event["data"]["state"] == "paid":
                self._last[event["subject"]] = (event["type"], event["data"]["state"])
                self.touches("delivery.older")
        return status, text

    def observe(self, given: Document) -> Any:
        seen = super().observe(given)
        for subject, (kind, state) in self._last.items():
            seen["subjects"][subject] = {"type": kind, "sequence": 0, "state": state}
        return seen

    def __init__(self, *given: Any, **how: Any) -> None:
        self._last: dict[str, tuple[str, str | None]] = {}
        super().__init__(*given, **how)


class KeepsKeysForEver(FaultyVendor):
    """The platform's keys are fetched once, at installation."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if self._receiver is None and self.installed is None:
            self.installed = self.client.platform_keys()
        self.touches("delivery.rotated")
        self._receiver = self._receiver or Receiver(
            self.address, lambda: self.installed or [], self.state / "webhooks.db", self._take
        )
        return super().webhook(headers, body)

    installed: list[dict[str, Any]] | None = None


class NeverForgetsAKey(FaultyVendor):
    """New keys of the platform are added to the old ones."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if self._receiver is None:
            self._receiver = Receiver(
                self.address, self._all_keys, self.state / "webhooks.db", self._take, refetch_at_most_every_s=0
            )
        self.touches("delivery.withdrawn")
        return super().webhook(headers, body)

    def _all_keys(self) -> list[dict[str, Any]]:
        self.collected += [key for key in self.client.platform_keys() if key not in self.collected]
        return self.collected

    def __init__(self, *given: Any, **how: Any) -> None:
        self.collected: list[dict[str, Any]] = []
        super().__init__(*given, **how)


class WorksBeforeItAnswers(FaultyVendor):
    """A delivery is answered when everything that follows from it is done."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        reply = super().webhook(headers, body)
        if b"after-malformed" not in body and b"moon.landed" in body:
            self.touches("delivery.unknown-type")
            time.sleep(16)
        return reply


class ActsBeforeItVerifies(FaultyVendor):
    """An event is acted on, then verified, then refused."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        status, text = super().webhook(headers, body)
        if status == 401:
            try:
                event = msgspec.json.decode(body, type=models.Event)
            except msgspec.DecodeError:
                return status, text
            self.witness.acted(event.id)
            with self._guard:
                self._note(event)
        return status, text


class CountsEventsOfTheFeedAgain(FaultyVendor):
    """Feed and webhooks have memories of their own."""

    def sync_events(self, given: Document) -> Any:
        self.touches("observe")
        self.reading = True
        try:
            return super().sync_events(given)
        finally:
            self.reading = False

    reading = False

    def _take(self, event: models.Event) -> None:
        if self.reading:
            self._note(event)
        else:
            super()._take(event)


class DoesNotLearnStates(FaultyVendor):
    """What the product shows of an order is what it was when it was sold."""

    def observe(self, given: Document) -> Any:
        self.touches("observe")
        seen = super().observe(given)
        for subject, about in seen["subjects"].items():
            if subject.startswith("ord_") and subject in self._sold:
                about["state"] = "awaiting_payment"
        return seen

    def place_order(self, given: Document) -> Any:
        answer = super().place_order(given)
        self._sold.add(str(answer.get("id")))
        return answer

    def __init__(self, *given: Any, **how: Any) -> None:
        self._sold: set[str] = set()
        super().__init__(*given, **how)


def _by_transport(transport: type[Transport]) -> Callable[[Witness], type[GoodVendor]]:
    return lambda witness: type(transport.__name__, (GoodVendor,), {"transport_type": with_witness(transport, witness)})


def _by_vendor(vendor: type[FaultyVendor]) -> Callable[[Witness], type[GoodVendor]]:
    return lambda witness: type(vendor.__name__, (vendor,), {"witness": witness})


OWN: tuple[tuple[type[FaultyVendor], str], ...] = (
    (LosesItsQueue, "OUT-001"),
    (ReportsTheLatestFirst, "OUT-003"),
    (DoesNotComeBack, "RUN-001"),
    (SubscribesAgainAndAgain, "STEP-001"),
    (CutsNames, "TEXT-001"),
    (NormalisesTexts, "TEXT-002"),
    (LowersReferences, "EXT-001"),
    (RelabelsTimesAsUtc, "TIME-002"),
    (TakesDatesInUtc, "TIME-003"),
    (ForgetsTheDiscount, "MONEY-001"),
    (WritesYuanForFen, "MONEY-002"),
    (SplitsOrders, "MONEY-003"),
    (SellsWhileSuspended, "SALE-001"),
    (CancelsOrdersAtHomeOnly, "SALE-002"),
    (HidesRefusals, "REFUSE-001"),
    (GivesOneReasonForAllRefunds, "REFUND-001"),
    (KeepsConsentToItself, "REFUND-002"),
    (ObjectsWithoutProof, "REFUND-003"),
    (CancelsLessonsAtHomeOnly, "LESSON-001"),
    (ForgetsTheLastLesson, "LESSON-002"),
    (SendsRefusedRecordsAgain, "BATCH-001"),
    (ReportsLessonsTwice, "BATCH-002"),
    (LeavesAbsencesOut, "BATCH-003"),
    (SendsOneRecordAtATime, "BATCH-004"),
    (ReportsAtRollCall, "CONS-001"),
    (ReportsMinutes, "CONS-002"),
    (KnowsOneRoomOnly, "CONS-003"),
    (TakesTheWrongRecordBack, "CONS-004"),
    (CallsAbsencesLessons, "CONS-005"),
    (ReportsDisputedLessonsAgain, "CONS-006"),
    (ReportsCancelledLessons, "CONS-007"),
    (TeachesAgainstClosedOrders, "CONS-008"),
    (ActsOnRepetitions, "HOOK-001"),
    (LooksAtNoDigest, "HOOK-002"),
    (LooksAtNoAge, "HOOK-003"),
    (TakesDeliveriesForOthers, "HOOK-004"),
    (CrashesOnUnknownTypes, "HOOK-005"),
    (LetsOldEventsOverwrite, "HOOK-006"),
    (ActsTwiceOnTwins, "HOOK-007"),
    (TakesUnsignedDeliveries, "HOOK-008"),
    (LooksAtNoCoverage, "HOOK-009"),
    (TakesDeliveriesFromTheFuture, "HOOK-010"),
    (DiesOfBadBodies, "HOOK-011"),
    (ChokesOnUnknownEventMembers, "HOOK-012"),
    (KeepsKeysForEver, "HOOK-013"),
    (NeverForgetsAKey, "HOOK-014"),
    (WorksBeforeItAnswers, "HOOK-015"),
    (ActsBeforeItVerifies, "HOOK-016"),
    (TrustsAnyKey, "HOOK-017"),
    (CountsEventsOfTheFeedAgain, "FEED-003"),
    (DoesNotLearnStates, "STATE-001"),
)
NAMED_TRANSPORTS: tuple[tuple[str, type[Transport], str, str], ...] = (
    ("SendsNaiveTimes", _NaiveTimes, "TIME-001", "Times lose their offset on the way."),
    (
        "MakesKeysOfIdentityNumbers",
        _PersonalKeys,
        "PRIV-001",
        "The key of a registration is made of the child's number.",
    ),
)
ABOUT_TIME = frozenset({"WorksBeforeItAnswers"})


def _says(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


FAULTS: tuple[Fault, ...] = (
    *(
        Fault(t.__name__, _says(t), f"IS-{number}", _by_transport(t), t in ABOUT_TIME_TOO)
        for t, number in TRANSPORT_FAULTS
    ),
    *(Fault(name, says, f"IS-{number}", _by_transport(t)) for name, t, number, says in NAMED_TRANSPORTS),
    *(Fault(v.__name__, _says(v), f"IS-{number}", _by_vendor(v), v.__name__ in ABOUT_TIME) for v, number in OWN),
)
