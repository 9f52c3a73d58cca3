"""What the suite does to a vendor's system: it plays the platform, asks for steps, and misbehaves where it may.

The vendor's driver carries the steps out; what is judged is the traffic that arrives, and what the vendor does with
the deliveries that the suite sends. The scenario judges nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx2

from offcampus_conformance.config import Config, ConfigError
from offcampus_conformance.played_platform.server import PlayedPlatform
from offcampus_conformance.played_platform.state import new_id
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.signature import EVENT_COMPONENTS, EVENT_TAG, Key, content_digest, sign
from offcampus_conformance.synthetic import Document, Synthetic
from offcampus_conformance.wire import Wire, dump

STEP_TIMEOUT_S = 60.0
EVENT_TYPE = "application/cloudevents+json"


class NotCarriedOut(Exception):
    """The vendor's driver did not carry a step out: what builds on it cannot be judged."""


@dataclass
class Vendor:
    """The system under test, as its driver shows it."""

    driver_url: str
    platform: PlayedPlatform
    make: Synthetic
    record: Record
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, action: str, document: Document, label: str | None = None) -> Document:
        """Ask for a step and record the driver's answer. Raises NotCarriedOut."""
        name = label or f"driver.{action}"
        headers = {"Content-Type": "application/json"}
        with httpx2.Client(timeout=STEP_TIMEOUT_S, trust_env=False) as http:
            wire = Wire(self.driver_url, self.record, http=http)
            exchange = wire.send(name, "POST", f"/actions/{action}", content=dump(document), headers=headers)
        answer = exchange.json()
        if exchange.status != 200 or not isinstance(answer, dict):
            raise NotCarriedOut(f"the driver answered {exchange.status or exchange.trouble} to {action}")
        return answer

    def made(self, name: str, action: str, document: Document) -> str:
        """Ask for a step that makes a resource; returns the identifier that the played platform gave."""
        self.ask(action, document, f"driver.{action}.{name}")
        found = [
            row for rows in self.platform.state.resources.values() for row in rows.values()
            if row.get("external_id") == document["external_id"]
        ]  # fmt: skip
        if not found:
            raise NotCarriedOut(f"{action}: nothing with external_id {document['external_id']} arrived")
        self.ids[name] = found[-1]["id"]
        return self.ids[name]


def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
    """Play the platform for one vendor's system and lead it through an institution's day."""
    if config.driver_url is None:
        raise ConfigError("target.driver_url is missing: the suite asks your system for steps through its driver")
    party = config.party("vendor")
    jwk = json.loads(party.key_file.read_text(encoding="utf-8"))
    platform = PlayedPlatform(record, party.client_id, [{k: v for k, v in jwk.items() if k != "d"}])
    platform.start(config.listen_port)
    make = Synthetic(config.tag, datetime.now(UTC).date(), config.region_code, config.seed)
    vendor = Vendor(config.driver_url.rstrip("/"), platform, make, record)
    parts: list[tuple[str, Callable[[Vendor], None]]] = [
        ("institution file", file_institution),
        ("course and lessons", file_course),
        ("order", sell),
        ("consumption", consume),
        ("change", change),
        ("webhooks", deliver),
    ]
    try:
        for name, part in parts:
            progress(name)
            try:
                part(vendor)
            except NotCarriedOut as reason:
                record.omit("*", f"{name}: {reason}")
    finally:
        platform.stop()


def file_institution(vendor: Vendor) -> None:
    """The institution file; the platform is busy at the first call, and loses its answer at the campus."""
    make, state = vendor.make, vendor.platform.state
    state.play("createInstitution", "busy")
    institution = vendor.made("institution", "file_institution", make.institution())
    state.resources["institutions"][institution]["state"] = "approved"
    state.play("createCampus", "lost")
    vendor.made("campus", "add_campus", make.campus(institution))
    vendor.made("staff", "add_staff", make.staff(institution))
    for number in (1, 2):
        vendor.made(f"material.{number}", "add_material", make.material(institution, number))


def file_course(vendor: Vendor) -> None:
    """A course, a class, and lessons in a batch."""
    make, ids = vendor.make, vendor.ids
    if "staff" not in ids:
        raise NotCarriedOut("the institution file is not complete")
    course = vendor.made("course", "file_course", make.course(ids["institution"], ids["campus"]))
    school_class = make.school_class(ids["institution"], course, ids["campus"], ids["staff"])
    vendor.made("class", "open_class", school_class)
    lessons = [make.lesson(number, ids["institution"], ids["class"], ids["staff"]) for number in range(1, 5)]
    vendor.ask("schedule_lessons", {"items": lessons})
    for number, row in enumerate(vendor.platform.state.resources.get("lessons", {}).values(), 1):
        ids[f"lesson.{number}"] = row["id"]


def sell(vendor: Vendor) -> None:
    """A pupil with a rare name, a contract, an order whose first answer is lost."""
    make, ids, state = vendor.make, vendor.ids, vendor.platform.state
    if "class" not in ids:
        raise NotCarriedOut("there is no class to sell")
    pupil = vendor.made("pupil", "register_pupil", make.pupil(ids["institution"]))
    ids["guardian"] = new_id("grd")
    contract = make.contract(ids["institution"], ids["course"], pupil, ids["guardian"])
    vendor.made("contract", "sign_contract", contract)
    state.play("createOrder", "lost")
    vendor.made("order", "place_order", make.order(ids))
    state.resources["orders"][ids["order"]]["state"] = "paid"


def consume(vendor: Vendor) -> None:
    """Three records; the platform is busy first, then refuses one item; the vendor is asked to report once more."""
    make, ids, state = vendor.make, vendor.ids, vendor.platform.state
    if "order" not in ids or "lesson.3" not in ids:
        raise NotCarriedOut("there is nothing to consume")
    state.play("reportConsumption", "busy")
    state.play("reportConsumption", "refuse_first")
    records = [make.consumption(number, ids, ids[f"lesson.{number}"]) for number in (1, 2, 3)]
    vendor.ask("report_consumption", {"items": records}, "driver.report_first")
    vendor.ask("report_consumption", {"items": records}, "driver.report_again")


def change(vendor: Vendor) -> None:
    """A change under a version."""
    if "institution" not in vendor.ids:
        raise NotCarriedOut("there is no institution to change")
    vendor.ask("change_contact", {"id": vendor.ids["institution"], "contact": {"name": "甄试", "phone": "01022222222"}})


def deliver(vendor: Vendor) -> None:
    """Events: good, repeated, newer before older, tampered, stale, for another receiver, of an unknown type."""
    vendor.ask("subscribe", {"external_id": f"sub-{vendor.make.tag}"})
    rows = list(vendor.platform.state.resources.get("subscriptions", {}).values())
    if not rows:
        raise NotCarriedOut("no subscription arrived")
    courier = Courier(vendor, str(rows[-1]["url"]))
    good = courier.event("order.paid", 1, state="paid")
    courier.send("webhook.good", good)
    courier.send("webhook.repeated", good)
    subject = new_id("ord")
    courier.send("webhook.newer", courier.event("order.closed", 2, subject=subject, state="closed"))
    courier.send("webhook.older", courier.event("order.paid", 1, subject=subject, state="paid"))
    tampered = courier.event("order.paid", 1, state="paid")
    courier.send("webhook.tampered", tampered, body_after=dump({**tampered, "subject": new_id("ord")}))
    courier.send("webhook.stale", courier.event("order.paid", 1), created=int(time.time()) - 3600)
    elsewhere = "http://another.example/webhooks"
    courier.send("webhook.elsewhere", courier.event("order.paid", 1), signed_for=elsewhere)
    courier.send("webhook.foreign_key", courier.event("order.paid", 1), key=Key.generate())
    courier.send("webhook.unknown_type", courier.event("moon.landed", 1))
    observed = vendor.ask("observe", {}, "driver.observe")
    events = observed.get("events", {})
    vendor.record.add(_observation("observed.webhooks", {
        "good_times": events.get(good["id"], 0),
        "tampered_times": events.get(tampered["id"], 0),
        "state_of_reordered": (observed.get("subjects", {}).get(subject) or {}).get("state"),
    }))  # fmt: skip


@dataclass
class Courier:
    """Sends deliveries to the vendor's address, right ones and wrong ones."""

    vendor: Vendor
    url: str

    def event(self, kind: str, sequence: int, *, subject: str | None = None, state: str | None = None) -> Document:
        """An event of the standard."""
        about = subject or new_id("ord")
        return {
            "specversion": "1.0", "id": new_id("evt"), "source": self.vendor.platform.base_url,
            "type": f"cn.offcampus.{kind}.v1", "subject": about,
            "time": datetime.now(UTC).isoformat(timespec="seconds"), "datacontenttype": "application/json",
            "sequence": str(sequence),
            "data": {
                "id": about, "version": sequence, "external_id": None, "state": state, "link": f"/v1/orders/{about}",
            },
        }  # fmt: skip

    def send(
        self, label: str, event: Document, *, created: int | None = None, body_after: bytes | None = None,
        signed_for: str | None = None, key: Key | None = None,
    ) -> Exchange:  # fmt: skip
        """Deliver an event; the options make the delivery wrong in one way."""
        body, moment = dump(event), int(time.time()) if created is None else created
        headers = {
            "Content-Type": EVENT_TYPE, "Content-Digest": content_digest(body), "webhook-id": event["id"],
            "webhook-timestamp": str(moment),
        }  # fmt: skip
        headers |= sign(
            key or self.vendor.platform.key, "POST", signed_for or self.url, headers, created=moment,
            components=EVENT_COMPONENTS, tag=EVENT_TAG,
        )  # fmt: skip
        base, _, path = self.url.partition("//")
        host, _, rest = path.partition("/")
        content = body if body_after is None else body_after
        how: dict[str, Any] = {"headers": headers, "content": content, "operation_id": "eventNotification"}
        with Wire(f"{base}//{host}", self.vendor.record) as wire:
            return wire.send(label, "POST", f"/{rest}", **how)


def _observation(label: str, facts: dict[str, Any]) -> Exchange:
    """What the vendor's `observe` action showed, as evidence of its own kind."""
    now = datetime.now(UTC).isoformat()
    exchange = Exchange(label, "OBSERVE", "driver", {}, None, 200, {}, json.dumps(facts), now, 0.0, facts=facts)
    return replace(exchange, evidence="observed")
