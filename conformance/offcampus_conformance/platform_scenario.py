"""What the suite does to a platform: one institution's day as a client, with a probe beside each lawful step.

Every exchange has a label; checks judge by label. A step whose prerequisite failed is left out with the reason, so
that what builds on it is blocked and not failed. The scenario judges nothing.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from offcampus_conformance.config import Config
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.signature import Key
from offcampus_conformance.supervision_scenario import supervise
from offcampus_conformance.synthetic import SHANGHAI, Document, Synthetic
from offcampus_conformance.wire import Actor, Wire, dump

ACTORS = ("vendor", "rival", "bank", "guardian_app", "authority")


class Unfinished(Exception):
    """A lawful step failed: what builds on it cannot be carried out."""


class Ids(dict[str, str]):
    """Identifiers by the name of the step that made them; asking for one that was not made ends the part."""

    def __missing__(self, name: str) -> str:
        raise Unfinished(f"there is no {name}: an earlier step was not accepted")


@dataclass
class Day:
    """The state of one run of the scenario."""

    wire: Wire
    make: Synthetic
    actors: dict[str, Actor]
    ids: Ids = field(default_factory=Ids)
    etags: dict[str, str] = field(default_factory=dict)

    @property
    def vendor(self) -> Actor:
        """The institution's system."""
        return self.actors["vendor"]

    def created(self, name: str, exchange: Exchange) -> Document:
        """Keep the id of what a lawful step created. Raises Unfinished when it was not created."""
        body = exchange.json()
        if exchange.status not in (200, 201) or not isinstance(body, dict) or "id" not in body:
            raise Unfinished(f"{exchange.label} was answered {exchange.status}")
        self.ids[name] = body["id"]
        self.etags[name] = exchange.header("etag") or f'"{body.get("version", 1)}"'
        return body


def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
    """Carry out the whole scenario against `config.base_url`."""
    with Wire(config.base_url, record) as wire:
        _lead(_begin(config, wire), record, progress)


def _lead(day: Day, record: Record, progress: Callable[[str], None]) -> None:
    parts: list[tuple[str, Callable[[Day], None]]] = [
        ("discovery", discover),
        ("identity", authenticate),
        ("institution file", file_institution),
        ("malformed input", send_malformed),
        ("signatures", sign_wrongly),
        ("course", file_course),
        ("order", place_order),
        ("payment", pay),
        ("consumption", consume),
        ("release", release),
        ("refund", refund),
        ("supervision", supervise),
        ("lists and events", read_all),
    ]
    failed: str | None = None
    for name, part in parts:
        progress(name)
        try:
            part(day)
        except Unfinished as reason:
            failed = failed or f"{name}: {reason}"
            record.omit("*", failed)
    if failed:
        progress(f"cut short at {failed}")


def _begin(config: Config, wire: Wire) -> Day:
    actors = {
        name: Actor(name, party.client_id, Key.load(party.key_file), wire, config.base_url)
        for name in ACTORS
        for party in (config.party(name),)
    }
    make = Synthetic(config.tag, business_date(config), config.region_code, config.seed)
    return Day(wire, make, actors)


def business_date(config: Config) -> date:
    """The target's business date in Shanghai: today, shifted by the clock file of a target in development."""
    offset = 0
    if config.clock_file is not None and config.clock_file.exists():
        offset = int(json.loads(config.clock_file.read_text(encoding="utf-8"))["offset_seconds"])
    return (datetime.now(SHANGHAI) + timedelta(seconds=offset)).date()


def discover(day: Day) -> None:
    """What the target says of itself, before anybody signs in."""
    day.wire.send("discovery.capabilities", "GET", "/v1/capabilities", operation_id="getCapabilities")
    metadata = day.wire.send(
        "discovery.metadata", "GET", "/.well-known/oauth-authorization-server", operation_id="getServerMetadata"
    )
    day.wire.send("discovery.jwks", "GET", "/.well-known/jwks.json", operation_id="getJwks")
    issuer = (metadata.json() or {}).get("issuer")
    for actor in day.actors.values():
        actor.issuer = issuer or actor.issuer


def authenticate(day: Day) -> None:
    """Every party signs in; then the same with one thing wrong."""
    for name, actor in day.actors.items():
        actor.authenticate(f"token.{name}")
    vendor, now = day.vendor, int(time.time())
    kept = vendor.token
    vendor.authenticate("token.wrong_audience", aud=vendor.issuer + "/v1/token")
    vendor.authenticate("token.audience_list", aud=[vendor.issuer, "https://elsewhere.example"])
    vendor.authenticate("token.expired", iat=now - 600, exp=now - 540)
    vendor.authenticate("token.too_long", iat=now, exp=now + 3600)
    jti = secrets.token_urlsafe(16)
    vendor.authenticate("token.jti_first", jti=jti)
    vendor.authenticate("token.jti_again", jti=jti)
    vendor.token = kept
    day.wire.send("token.missing", "GET", "/v1/institutions", operation_id="listInstitutions")
    if kept is None:
        raise Unfinished("the vendor got no token")


def file_institution(day: Day) -> None:
    """The Article 11 file: accepted, repeated, contradicted, and read by another party."""
    document, key = day.make.institution(), secrets.token_urlsafe(18)
    create: dict[str, Any] = {"operation_id": "createInstitution", "key": key}
    vendor = day.vendor
    first = vendor.write("institution.create", "POST", "/v1/institutions", document, **create)
    vendor.write("institution.repeat", "POST", "/v1/institutions", document, **create)
    changed = {**document, "name": document["name"] + "改"}
    vendor.write("institution.key_reused", "POST", "/v1/institutions", changed, **create)
    _bad_institutions(day, document)
    day.created("institution", first)
    path = f"/v1/institutions/{day.ids['institution']}"
    read = vendor.get("institution.read", path, operation_id="getInstitution")
    etag = read.header("etag") or '"1"'
    vendor.get("institution.unchanged", path, operation_id="getInstitution", headers={"If-None-Match": etag})
    day.actors["rival"].get("institution.foreign", path, operation_id="getInstitution")
    missing = "/v1/institutions/ins_" + "0" * 26
    day.actors["rival"].get("institution.missing", missing, operation_id="getInstitution")
    change = {"contact": {"name": "甄试", "phone": "01011111111"}}
    update: dict[str, Any] = {"operation_id": "updateInstitution", "key": None}
    vendor.write("institution.no_if_match", "PATCH", path, change, wrong="no If-Match", **update)
    updated = vendor.write("institution.update", "PATCH", path, change, if_match=etag, **update)
    vendor.write("institution.stale", "PATCH", path, change, if_match=etag, **update)
    approve: dict[str, Any] = {"operation_id": "approveInstitution", "if_match": updated.header("etag") or etag}
    approved = day.actors["authority"].write("institution.approve", "POST", f"{path}/approval", {}, **approve)
    if approved.status != 200:
        raise Unfinished(f"institution.approve was answered {approved.status}")


def _bad_institutions(day: Day, document: Document) -> None:
    def probe(label: str, **changes: Any) -> None:
        bad = {**document, "external_id": f"{document['external_id']}-{label}", **changes}
        day.vendor.write(
            f"institution.{label}", "POST", "/v1/institutions", bad, operation_id="createInstitution", wrong=label
        )

    wrong = document["uscc"][:-1] + ("0" if document["uscc"][-1] != "0" else "1")
    probe("check_digit", uscc=wrong)
    probe("unknown_field", colour="red")
    probe("full_width", region_code="１１０１０５")
    day.vendor.write(
        "institution.no_key", "POST", "/v1/institutions", document, operation_id="createInstitution", key=None,
        wrong="no Idempotency-Key",
    )  # fmt: skip


def send_malformed(day: Day) -> None:
    """Bodies that are no JSON of the standard, each wrong in one way, against one lawful shape."""
    document = {**day.make.institution(), "external_id": f"ins-{day.make.tag}-json"}
    lawful = dump(document)
    bodies = {
        "duplicate_key": lawful[:-1] + b',"name":"x"}',
        "nan": lawful.replace(b'"for_profit":true', b'"for_profit":NaN'),
        "float": lawful.replace(b'"building_area_m2":320', b'"building_area_m2":320.0'),
        "bom": b"\xef\xbb\xbf" + lawful,
        "utf16": lawful.decode().encode("utf-16"),
        "surrogate": lawful.replace(b'"for_profit"', b'"x\\ud800":1,"for_profit"'),
        "deep": b'{"a":' * 2000 + b"1" + b"}" * 2000,
        "cut": lawful[:-1],
    }
    for name, raw in bodies.items():
        day.vendor.write(
            f"json.{name}", "POST", "/v1/institutions", raw=raw, operation_id="createInstitution", wrong=name
        )
    day.vendor.write(
        "json.media_type", "POST", "/v1/institutions", raw=lawful, headers={"Content-Type": "text/plain"},
        operation_id="createInstitution", wrong="media type",
    )  # fmt: skip
    query: dict[str, Any] = {"operation_id": "listInstitutions", "wrong": "query"}
    day.vendor.get("query.unknown", "/v1/institutions?colour=red", **query)
    day.vendor.get("query.repeated", "/v1/institutions?limit=1&limit=2", **query)


def sign_wrongly(day: Day) -> None:
    """One lawful write, and the same with its signature wrong in one way; nothing of it may be stored."""
    campus = day.make.campus(day.ids.get("institution", "ins_" + "0" * 26))
    if "institution" not in day.ids:
        raise Unfinished("there is no institution to write for")

    def probe(name: str, **how: Any) -> Exchange:
        document = {**campus, "external_id": f"{campus['external_id']}-{name}"}
        return day.vendor.write(
            f"signature.{name}", "POST", "/v1/campuses", document, operation_id="createCampus", **how
        )

    probe("unsigned", signed=False)
    probe("stale", created=int(time.time()) - 3600)
    probe("tampered", tamper=lambda headers, body: (headers, body.replace("本部".encode(), "别部".encode())))
    nonce = secrets.token_urlsafe(16)
    probe("nonce_first", nonce=nonce)
    probe("nonce_again", nonce=nonce)
    day.created(
        "campus", day.vendor.write("campus.create", "POST", "/v1/campuses", campus, operation_id="createCampus")
    )


def file_course(day: Day) -> None:
    """Staff, a course (and one that no rule allows), its approval, a class, its lessons (one too late)."""
    vendor, make, ids = day.vendor, day.make, day.ids
    institution = ids["institution"]
    day.created(
        "staff", vendor.write("staff.create", "POST", "/v1/staff", make.staff(institution), operation_id="createStaff")
    )
    course = make.course(institution, ids["campus"])
    forbidden = {
        **course, "external_id": f"{course['external_id']}-kid", "stages": ["preschool_3_6"], "delivery": "online",
        "grades": ["preschool"], "minutes_per_class_hour": 30, "lesson_minutes": 30,
    }  # fmt: skip
    vendor.write("course.preschool_online", "POST", "/v1/courses", forbidden, operation_id="createCourse")
    day.created("course", vendor.write("course.create", "POST", "/v1/courses", course, operation_id="createCourse"))
    approval = f"/v1/courses/{ids['course']}/approval"
    approve: dict[str, Any] = {"operation_id": "approveCourse", "if_match": day.etags["course"]}
    day.actors["rival"].write("course.approve_by_vendor", "POST", approval, {}, **approve)
    approved = day.actors["authority"].write("course.approve", "POST", approval, {}, **approve)
    if approved.status != 200:
        raise Unfinished(f"course.approve was answered {approved.status}")
    school_class = make.school_class(institution, ids["course"], ids["campus"], ids["staff"])
    day.created("class", vendor.write("class.create", "POST", "/v1/classes", school_class, operation_id="createClass"))
    lessons = [make.lesson(number, institution, ids["class"], ids["staff"]) for number in range(1, 8)]
    late = {"starts_at": make.at(3, 19, 30), "ends_at": make.at(3, 20, 45)}
    lessons.append(make.lesson(99, institution, ids["class"], ids["staff"], **late))
    batch = vendor.write(
        "lessons.batch", "POST", "/v1/lessons/batch", {"items": lessons}, operation_id="scheduleLessons"
    )
    for result in (batch.json() or {}).get("results", []):
        if "id" in result:
            ids[f"lesson.{result['index'] + 1}"] = result["id"]


def place_order(day: Day) -> None:
    """Pupil, contract, the lawful order, and orders that break one rule each."""
    vendor, make, ids = day.vendor, day.make, day.ids
    if "class" not in ids:
        raise Unfinished("there is no class to sell")
    child = make.pupil(ids["institution"])
    parent = child["guardians"][0]
    day.wire.canaries |= {
        "the pupil's name": child["name"],
        "the pupil's number": child["id_number"],
        "the guardian's name": parent["name"],
        "the guardian's phone": parent["phone"],
    }
    pupil = vendor.write("pupil.register", "POST", "/v1/pupils", child, operation_id="registerPupil")
    body = day.created("pupil", pupil)
    ids["guardian"] = (body.get("guardians") or [{}])[0].get("id", "")
    contract = make.contract(ids["institution"], ids["course"], ids["pupil"], ids["guardian"])
    day.created(
        "contract", vendor.write("contract.create", "POST", "/v1/contracts", contract, operation_id="createContract")
    )

    def order(label: str, number: int = 1, **changes: Any) -> Exchange:
        return vendor.write(
            f"order.{label}", "POST", "/v1/orders", make.order(ids, number, **changes), operation_id="createOrder"
        )

    def tuition(amount_fen: int) -> dict[str, Any]:
        return {
            "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": amount_fen}],
            "total_fen": amount_fen,
        }

    order("hours", 2, class_hours_centi=6100)
    order("amount", 3, **tuition(500_001))
    order("span", 4, service_until=make.day(120))
    order("loan", 5, training_loan=True)
    float_money = dump(make.order(ids, 7)).replace(b'"total_fen":480000', b'"total_fen":480000.0')
    vendor.write("order.float", "POST", "/v1/orders", raw=float_money, operation_id="createOrder")
    foreign = make.order(ids, 8)
    day.actors["rival"].write("order.foreign", "POST", "/v1/orders", foreign, operation_id="createOrder")
    day.created("order", order("create"))
    order("sum", 6, total_fen=479_999)


def pay(day: Day) -> None:
    """Two channels pay into custody; the bank reports both receipts, and one of them twice."""
    bank, ids, make = day.actors["bank"], day.ids, day.make
    if "order" not in ids:
        raise Unfinished("there is no order to pay")
    account = {
        "external_id": f"cac-{make.tag}", "institution_id": ids["institution"],
        "account_digest": "sha-256:" + secrets.token_hex(32), "account_tail": "0001",
        "agreement_number": f"TG-{make.tag}", "opened_on": make.day(-30), "purpose": "custody",
    }  # fmt: skip
    day.created(
        "account",
        bank.write("account.open", "POST", "/v1/custody-accounts", account, operation_id="openCustodyAccount"),
    )
    payment = {
        "external_id": f"pay-{make.tag}", "order_id": ids["order"],
        "parts": [
            {"channel": "wechat", "amount_fen": 300_000, "payer_reference": "wx***1"},
            {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "6222***1"},
        ],
        "payer": {"guardian_id": ids["guardian"]},
    }  # fmt: skip
    guardian = day.actors["guardian_app"]
    day.created(
        "payment", guardian.write("payment.create", "POST", "/v1/payments", payment, operation_id="createPayment")
    )
    lines = [_receipt(day, 1, 300_000, 300_000), _receipt(day, 2, 180_000, 480_000)]
    report: dict[str, Any] = {"operation_id": "reportCustodyMovements"}
    bank.write("receipt.report", "POST", "/v1/custody-movements/batch", {"items": lines}, **report)
    bank.write("receipt.repeat", "POST", "/v1/custody-movements/batch", {"items": lines}, **report)
    day.vendor.get("order.paid", f"/v1/orders/{ids['order']}", operation_id="getOrder")


def _receipt(day: Day, part_no: int, amount_fen: int, balance_fen: int) -> Document:
    return {
        "external_id": f"line-{day.make.tag}-{part_no}", "account_id": day.ids["account"], "kind": "receipt",
        "direction": "credit", "amount_fen": amount_fen, "booked_at": day.make.at(-10, 10),
        "value_on": day.make.day(-10), "bank_reference": f"B{day.make.tag}{part_no}",
        "payment_id": day.ids["payment"], "part_no": part_no, "balance_after_fen": balance_fen,
    }  # fmt: skip


def consume(day: Day) -> None:
    """Four lessons reported among records that must be refused; confirmed, confirmed twice, disputed."""
    vendor, make, ids = day.vendor, day.make, day.ids
    if "payment" not in ids or "lesson.4" not in ids:
        raise Unfinished("there is no paid order with lessons to report")
    good = [make.consumption(number, ids, ids[f"lesson.{number}"]) for number in (1, 2, 3, 4)]
    future = make.consumption(
        5, ids, ids["lesson.5"], occurred_from=make.at(2, 10), occurred_until=make.at(2, 11, 30),
        notified_at=make.at(2, 12),
    )  # fmt: skip
    no_teacher = {key: value for key, value in make.consumption(6, ids, ids["lesson.6"]).items() if key != "teacher_id"}
    again = {**good[0], "external_id": f"con-{make.tag}-again"}
    items = [*good, future, no_teacher, again]
    report: dict[str, Any] = {"operation_id": "reportConsumption", "wrong": "the sixth record names no teacher"}
    path = "/v1/consumption-records/batch"
    first = vendor.write("consumption.batch", "POST", path, {"items": items}, **report)
    vendor.write("consumption.batch_repeat", "POST", path, {"items": items}, **report)
    vendor.write("consumption.empty", "POST", path, {"items": []}, **{**report, "wrong": "no records"})
    results = (first.json() or {}).get("results", [])
    for number, result in enumerate(results[:4], 1):
        if "id" in result:
            ids[f"record.{number}"] = result["id"]
    if "record.4" not in ids:
        raise Unfinished("the lawful consumption records were not accepted")
    guardian = day.actors["guardian_app"]
    confirm: dict[str, Any] = {"operation_id": "confirmConsumption", "if_match": '"1"'}
    record = f"/v1/consumption-records/{ids['record.1']}"
    guardian.write("consumption.confirm", "POST", f"{record}/confirmation", {}, **confirm)
    again_match: dict[str, Any] = {**confirm, "if_match": '"2"'}
    guardian.write("consumption.confirm_again", "POST", f"{record}/confirmation", {}, **again_match)
    vendor.write(
        "consumption.confirm_by_vendor",
        "POST",
        f"/v1/consumption-records/{ids['record.2']}/confirmation",
        {},
        **confirm,
    )
    dispute = {"reason": "not_taught", "text": "当日未上课"}
    guardian.write(
        "consumption.dispute", "POST", f"/v1/consumption-records/{ids['record.3']}/dispute", dispute,
        operation_id="disputeConsumption", if_match='"1"',
    )  # fmt: skip
    vendor.get("order.consumed", f"/v1/orders/{ids['order']}", operation_id="getOrder")


def release(day: Day) -> None:
    """The bank fetches the release, accepts and executes it, and executes it once more."""
    bank, ids = day.actors["bank"], day.ids
    if "record.1" not in ids:
        raise Unfinished("nothing was confirmed")
    listed = bank.get(
        "instruction.list", "/v1/custody-instructions?state=issued", operation_id="listCustodyInstructions"
    )
    mine = [item for item in (listed.json() or {}).get("items", []) if item.get("order_id") == ids["order"]]
    if not mine:
        raise Unfinished("no release was instructed for the confirmed lesson")
    ids["instruction"] = mine[0]["id"]
    _execute(day, "release", mine[0]["id"])
    day.vendor.get("order.released", f"/v1/orders/{ids['order']}", operation_id="getOrder")


def _execute(day: Day, label: str, instruction_id: str) -> None:
    bank, path = day.actors["bank"], f"/v1/custody-instructions/{instruction_id}"
    bank.write(f"{label}.accept", "POST", f"{path}/acceptance", {}, operation_id="acceptCustodyInstruction")
    reference = f"X{secrets.token_hex(6)}"
    body = {"bank_reference": reference, "executed_at": datetime.now(SHANGHAI).isoformat(timespec="seconds")}
    execute: dict[str, Any] = {"operation_id": "executeCustodyInstruction"}
    bank.write(f"{label}.execute", "POST", f"{path}/execution", body, **execute)
    bank.write(f"{label}.execute_again", "POST", f"{path}/execution", body, **execute)
    other = {**body, "bank_reference": reference + "Z"}
    bank.write(f"{label}.execute_otherwise", "POST", f"{path}/execution", other, **execute)


def refund(day: Day) -> None:
    """The family leaves: quote, request, a second request, approval, and the money back by channel."""
    ids, make, guardian, vendor = day.ids, day.make, day.actors["guardian_app"], day.vendor
    if "order" not in ids:
        raise Unfinished("there is no order to refund")
    vendor.get("refund.quote", f"/v1/orders/{ids['order']}/refund-quote", operation_id="quoteRefund")
    request = {
        "external_id": f"rfd-{make.tag}", "order_id": ids["order"], "reason": "guardian_choice",
        "requested_at": datetime.now(SHANGHAI).isoformat(timespec="seconds"), "asked_by": "guardian",
    }  # fmt: skip
    asked = guardian.write("refund.request", "POST", "/v1/refunds", request, operation_id="requestRefund")
    second = {**request, "external_id": f"rfd-{make.tag}-2"}
    guardian.write("refund.second", "POST", "/v1/refunds", second, operation_id="requestRefund")
    day.created("refund", asked)
    path = f"/v1/refunds/{ids['refund']}"
    approve: dict[str, Any] = {"operation_id": "approveRefund", "if_match": day.etags["refund"]}
    vendor.write("refund.approve", "POST", f"{path}/approval", {}, **approve)
    listed = day.actors["bank"].get(
        "refund.instructions", "/v1/custody-instructions?state=issued", operation_id="listCustodyInstructions"
    )
    for item in (listed.json() or {}).get("items", []):
        if item.get("refund_id") == ids["refund"]:
            _execute(day, f"refund.{item['part_no']}", item["id"])
    vendor.get("refund.read", path, operation_id="getRefund")
    vendor.get("order.refunded", f"/v1/orders/{ids['order']}", operation_id="getOrder")
    vendor.get("order.statement", f"/v1/orders/{ids['order']}/statement", operation_id="getOrderStatement")


def read_all(day: Day) -> None:
    """Lists by pages with a row added in between, a forged cursor, and the whole event feed."""
    vendor, ids = day.vendor, day.ids
    if "class" not in ids:
        raise Unfinished("there are no lessons to list")
    cursor: str | None = ""
    page = 0
    while cursor is not None and page < 20:
        page += 1
        query = f"?class_id={ids['class']}&limit=2" + (f"&cursor={cursor}" if cursor else "")
        exchange = vendor.get(f"lessons.page.{page:02d}", f"/v1/lessons{query}", operation_id="listLessons")
        cursor = (exchange.json() or {}).get("next_cursor")
        if page == 1:
            added = day.make.lesson(20, ids["institution"], ids["class"], ids["staff"])
            vendor.write(
                "lessons.added", "POST", "/v1/lessons/batch", {"items": [added]}, operation_id="scheduleLessons"
            )
    vendor.get("lessons.forged_cursor", "/v1/lessons?cursor=Zm9yZ2Vk", operation_id="listLessons")
    after, page = None, 0
    while page < 40:
        page += 1
        query = "?limit=50" + (f"&after={after}" if after else "")
        exchange = vendor.get(f"events.page.{page:02d}", f"/v1/events{query}", operation_id="listEvents")
        body = exchange.json() or {}
        after = body.get("next_cursor")
        if not body.get("items") or after is None:
            break
    rival = day.actors["rival"]
    rival.get("events.rival", "/v1/events?limit=200", operation_id="listEvents")
    rival.get("orders.rival", "/v1/orders?limit=200", operation_id="listOrders")
