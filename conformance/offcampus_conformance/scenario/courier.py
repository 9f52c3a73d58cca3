"""Sends webhooks to the system under test: right ones, and ones that are wrong in exactly one way."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from offcampus_conformance.played_platform.dressing import instant, new_id
from offcampus_conformance.played_platform.server import PlayedPlatform
from offcampus_conformance.record import Record
from offcampus_conformance.signature import EVENT_COMPONENTS, EVENT_TAG, Key, content_digest, sign
from offcampus_conformance.wire import TIMEOUT_S, Wire, dump

EVENT_TYPE = "application/cloudevents+json"
ELSEWHERE = "http://another.example/webhooks"
STALE_S, AHEAD_S = 3600, 3600
PAUSES_S = (1, 5, 15, 20, 25)
TAKEN = range(200, 300)
RIGHT = ("good", "twice_at_once")
Event = dict[str, Any]


@dataclass
class Courier:
    """Deliveries of one run. `withdrawn` is a key that the platform no longer publishes."""

    platform: PlayedPlatform
    record: Record
    url: str = ""
    events: dict[str, Event] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    withdrawn: Key | None = None
    pauses_s: tuple[float, ...] = PAUSES_S
    """The pauses between the attempts at a delivery that is refused, within the patience of its step."""
    http: httpx2.Client = field(
        default_factory=lambda: httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
    )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def deliver(self, label: str, what: Mapping[str, Any], event: Event | None = None) -> None:
        """One delivery as a scenario writes it; with `patience_s` again until it is taken."""
        event = event or self._event(what)
        how = what["how"]
        if how == "twice_at_once":
            self._twice(label, event)
            return
        waits = [pause for pause in self.pauses_s if pause <= what.get("patience_s", 0)]
        name, attempt = label, 1
        while not self._send(name, event, how, what.get("key", "current")) and waits:
            time.sleep(waits.pop(0))
            attempt += 1
            name = f"{label}.attempt{attempt}"

    def _event(self, what: Mapping[str, Any]) -> Event:
        name = what.get("event")
        if name is not None and name in self.events:
            return self.events[name]
        known = what.get("subject")
        subject = self.subjects.setdefault(known, new_id("ord")) if known else new_id("ord")
        sequence = what.get("sequence", 1)
        event: Event = {
            "specversion": "1.0", "id": new_id("evt"), "source": self.platform.base_url,
            "type": f"cn.offcampus.{what.get('type', 'order.paid')}.v1", "subject": subject,
            "time": instant(self.platform.replies.now), "datacontenttype": "application/json",
            "sequence": str(sequence),
            "data": {"id": subject, "version": sequence, "external_id": None, "state": what.get("state"),
                     "link": f"/v1/orders/{subject}"},
        }  # fmt: skip
        if what.get("extra_members"):
            event |= {"xtomorrow": "a later version of the standard"}
            event["data"] |= {"x_tomorrow": [1, 2, 3]}
        if name is not None:
            self.events[name] = event
        return event

    def _send(self, label: str, event: Event, how: str, key: str) -> bool:
        signed = b"this is no event" if how == "malformed" else dump(event)
        moment = int(time.time()) + {"stale": -STALE_S, "future": AHEAD_S}.get(how, 0)
        headers = {
            "Content-Type": EVENT_TYPE, "Content-Digest": content_digest(signed), "webhook-id": event["id"],
            "webhook-timestamp": str(moment),
        }  # fmt: skip
        if how != "unsigned":
            components = [name for name in EVENT_COMPONENTS if how != "uncovered" or name != "content-digest"]
            headers |= sign(
                self._key(how, key), "POST", ELSEWHERE if how == "elsewhere" else self.url, headers, created=moment,
                components=components, tag=EVENT_TAG,
            )  # fmt: skip
        body = dump({**event, "subject": new_id("ord")}) if how == "tampered" else signed
        exchange = self._wire().send(
            label, "POST", urlsplit(self.url).path or "/", headers=headers, content=body,
            operation_id="eventNotification", facts={"event": event["id"], "how": how},
            wrong=None if how in RIGHT else how,
        )  # fmt: skip
        return exchange.status in TAKEN

    def _twice(self, label: str, event: Event) -> None:
        """The same delivery on two connections at the same moment."""
        gate = threading.Barrier(2)

        def send(name: str) -> None:
            gate.wait()
            self._send(name, event, "good", "current")

        threads = [threading.Thread(target=send, args=(f"{label}{end}",)) for end in (".one", ".two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _key(self, how: str, key: str) -> Key:
        if how == "foreign_key":
            return Key.generate()
        if key == "withdrawn" and self.withdrawn is not None:
            return self.withdrawn
        return self.platform.keys[-1]

    def _wire(self) -> Wire:
        parts = urlsplit(self.url)
        return Wire(f"{parts.scheme}://{parts.netloc}", self.record, http=self.http)
