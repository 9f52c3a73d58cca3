"""A good vendor: a small training-school product that connects through the SDK and does everything right.

`python -m offcampus_conformance.standins.good_vendor --platform URL --client-id ID --key-file F --state DIR --port N`

It keeps what the platform told it in a database of its own, reports consumption through the durable reporter, takes
webhooks once each, and may be killed and started again at any moment: every action is repeatable by external_id.
"""

from __future__ import annotations

import argparse
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from offcampus_sdk import Client, Key, models
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.transport import Transport
from offcampus_sdk.webhooks import Receiver

from offcampus_conformance.standins import driver

PATIENT = RetryPolicy(attempts=60, deadline_s=120.0, longest_wait_s=2.0)
SHAPE = """
CREATE TABLE IF NOT EXISTS known (subject TEXT PRIMARY KEY, type TEXT, sequence INTEGER, state TEXT) STRICT;
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cursor (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), value TEXT) STRICT;
"""

Sent = TypeVar("Sent", bound=msgspec.Struct)


class GoodVendor:
    """The product. Subclasses with one thing wrong are the seeded faults."""

    transport_type: type[Transport] = Transport

    def __init__(self, platform: str, client_id: str, key: Key, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.state = state
        self.client = Client(platform, client_id, key, policy=PATIENT, transport_type=self.transport_type)
        self.address = ""
        self._receiver: Receiver | None = None
        self.books = sqlite3.connect(state / "books.db", isolation_level=None, check_same_thread=False)
        self._guard = threading.Lock()
        for statement in filter(str.strip, SHAPE.split(";")):
            self.books.execute(statement)

    def actions(self) -> dict[str, driver.Action]:
        """What the suite may ask for."""
        client = self.client
        return {
            "file_institution": lambda given: self._create(client.institutions.create, models.Institution, given),
            "add_campus": lambda given: self._create(client.campuses.create, models.Campus, given),
            "add_staff": lambda given: self._create(client.staff.create, models.Staff, given),
            "add_material": lambda given: self._create(client.materials.create, models.Material, given),
            "file_course": lambda given: self._create(client.courses.create, models.Course, given),
            "open_class": lambda given: self._create(client.classes.create, models.Class, given),
            "register_pupil": lambda given: self._create(client.pupils.register, models.Pupil, given),
            "sign_contract": lambda given: self._create(client.contracts.create, models.Contract, given),
            "place_order": lambda given: self._create(client.orders.create, models.Order, given),
            "request_refund": lambda given: self._create(client.refunds.request, models.Refund, given),
            "schedule_lessons": self.schedule_lessons,
            "report_consumption": self.report_consumption,
            "approve_refund": self.approve_refund,
            "change_contact": self.change_contact,
            "subscribe": self.subscribe,
            "sync_events": self.sync_events,
            "observe": self.observe,
        }

    def schedule_lessons(self, given: dict[str, Any]) -> Any:
        """Schedule lessons; the results item by item."""
        lessons = msgspec.convert(given["items"], type=list[models.Lesson])
        return msgspec.to_builtins(self.client.lessons.schedule(lessons))

    def report_consumption(self, given: dict[str, Any]) -> Any:
        """Report records through the durable spool; what was refused is told, never hidden."""
        reporter = Reporter(self.client, self.state / "spool.db")
        try:
            for document in given["items"]:
                reporter.add(msgspec.convert(document, type=models.ConsumptionRecord))
            progress = reporter.drain()
            ids = {item["external_id"]: reporter.id_of(item["external_id"]) for item in given["items"]}
            refused = [{"external_id": r.external_id, "code": r.problem.code} for r in reporter.refused()]
            return {"waiting": progress.waiting, "done": progress.done, "ids": ids, "refused": refused}
        finally:
            reporter.close()

    def approve_refund(self, given: dict[str, Any]) -> Any:
        """Agree to a refund, on the version that was looked at."""
        return msgspec.to_builtins(self.client.refunds.approve(self.client.refunds.get(given["id"])))

    def change_contact(self, given: dict[str, Any]) -> Any:
        """Change the contact of an institution, on its current version."""
        current = self.client.institutions.get(given["id"])
        answer = self.client.transport.call(
            "updateInstitution", path={"institution_id": given["id"]}, body={"contact": given["contact"]},
            if_match=current.version,
        )  # fmt: skip
        return msgspec.json.decode(answer.body)

    def subscribe(self, given: dict[str, Any]) -> Any:
        """Subscribe to all events at this system's own address."""
        wanted = models.Subscription(external_id=given["external_id"], url=self.address, event_types=[])
        return msgspec.to_builtins(self.client.subscriptions.create(wanted))

    def sync_events(self, given: dict[str, Any]) -> Any:
        """Catch up from the feed; the cursor is stored with what was made of the events."""
        row = self.books.execute("SELECT value FROM cursor").fetchone()
        cursor, taken = (row[0] if row else None), 0
        while True:
            page = self.client.events.list(after=cursor, limit=500)
            events, cursor = page.items, page.next_cursor
            with self._guard:
                self.books.execute("BEGIN IMMEDIATE")
                for event in events:
                    self._note(event)
                self.books.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?)", (cursor,))
                self.books.execute("COMMIT")
            taken += len(events)
            if not events:
                return {"taken": taken}

    def observe(self, given: dict[str, Any]) -> Any:
        """What this system knows of subjects, and how often it acted on each event."""
        with self._guard:
            known = self.books.execute("SELECT subject, type, sequence, state FROM known").fetchall()
            seen = self.books.execute("SELECT event_id, times FROM seen").fetchall()
        subjects = {s: {"type": t, "sequence": n, "state": state} for s, t, n, state in known}
        return {"subjects": subjects, "events": dict(seen)}

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """One delivery."""
        if self._receiver is None:
            self._receiver = Receiver(self.address, self.client.platform_keys, self.state / "webhooks.db", self._act)
        with self._guard:
            reply = self._receiver.receive(headers, body)
        return reply.status, reply.reason

    def _act(self, event: models.Event) -> None:
        self._note(event)

    def _note(self, event: models.Event) -> None:
        self.books.execute(
            "INSERT INTO seen VALUES (?, 1) ON CONFLICT (event_id) DO UPDATE SET times = times + 1", (event.id,)
        )
        state = event.data.state if isinstance(event.data.state, str) else None
        self.books.execute(
            "INSERT INTO known VALUES (?, ?, ?, ?) ON CONFLICT (subject) DO UPDATE SET type = excluded.type,"
            " sequence = excluded.sequence, state = excluded.state WHERE excluded.sequence > sequence",
            (event.subject, event.type, int(event.sequence), state),
        )

    def _create(self, create: Callable[[Sent], msgspec.Struct], kind: type[Sent], given: dict[str, Any]) -> Any:
        return msgspec.to_builtins(create(msgspec.convert(given, type=kind)))


def run(vendor: GoodVendor, port: int) -> None:
    """Offer the vendor's driver until the process is ended."""
    server = driver.serve(vendor.actions(), port, vendor.webhook)
    vendor.address = f"http://127.0.0.1:{server.server_address[1]}/webhooks"
    print(f"ready at http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Event().wait()


def arguments(description: str) -> argparse.Namespace:
    """The command line that all stand-ins share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--platform", required=True)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--clock-file", type=Path)
    parser.add_argument("--fault", default="")
    return parser.parse_args()


def main() -> None:
    """Run it."""
    given = arguments("A good vendor's system")
    run(GoodVendor(given.platform, given.client_id, Key.load(given.key_file), given.state), given.port)


if __name__ == "__main__":
    main()
