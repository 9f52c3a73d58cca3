"""A good vendor: a small training-school product that connects through the SDK and does everything right.

    python -m offcampus_conformance.standins.good_vendor --platform URL --client-id ID --key-file F --state DIR
    python -m offcampus_conformance.standins.good_vendor … --action NAME < step.json    the same, by a command

It keeps what the platform told it in a database of its own, writes down every intent with its key before it sends it,
reports consumption through the durable reporter, takes webhooks once each, and may be killed and started again at any
moment: every action is repeatable by external_id.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from offcampus_sdk import Client, Key, models
from offcampus_sdk.errors import Conflict, ProblemError, ServerTrouble, TransportTrouble
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.transport import Transport
from offcampus_sdk.webhooks import Receiver

from offcampus_conformance.standins import driver, outbox
from offcampus_conformance.standins.driver import RefusedHere
from offcampus_conformance.standins.outbox import Intent
from offcampus_conformance.standins.patience import HURRIED, PATIENT

NO_SALES = frozenset({"suspended", "removed"})
NO_LESSONS = frozenset({"closed", "cancelled"})
AGAIN_AT_MOST = 5


class GoodVendor:
    """The product. Subclasses with one thing wrong are the seeded faults."""

    transport_type: type[Transport] = Transport

    def __init__(self, platform: str, client_id: str, key: Key, state: Path, *, policy: RetryPolicy = PATIENT) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.state, self.platform, self.client_id = state, platform, client_id
        self.first_key, self.policy = key, policy
        self.address = ""
        self.now: datetime | None = None
        """The business time that the suite handed over last; None: the suite hands none over."""
        self._guard = threading.Lock()
        self._open()

    def _open(self) -> None:
        self.books = outbox.opened(self.state / "books.db")
        changed = self.state / "key.json"
        key = Key.load(changed) if changed.exists() else self.first_key
        self.client = Client(self.platform, self.client_id, key, policy=self.policy, transport_type=self.transport_type)
        self._receiver: Receiver | None = None

    def close(self) -> None:
        """Let go of connections and files."""
        self.client.close()
        self.books.close()

    def follow_clock(self, now: str) -> None:
        """Take the suite's business time for this system's own."""
        self.now = datetime.fromisoformat(now)

    def actions(self) -> dict[str, driver.Action]:
        """What the suite may ask for."""
        kept = dict.fromkeys(self._creations(), self._kept)
        return {
            **{name: self._bound(keep, name) for name, keep in kept.items()},
            "place_order": self.place_order,
            "schedule_lessons": self.schedule_lessons,
            "report_consumption": self.report_consumption,
            "cancel_lesson": self.cancel_lesson,
            "cancel_order": self.cancel_order,
            "approve_refund": self.approve_refund,
            "object_to_refund": self.object_to_refund,
            "change_contact": self.change_contact,
            "subscribe": self.subscribe,
            "unsubscribe": self.unsubscribe,
            "sync_events": self.sync_events,
            "reconcile": self.reconcile,
            "work": lambda given: self.work(),
            "restart": self.restart,
            "new_key": self.new_key,
            "use_new_key": self.use_new_key,
            "observe": self.observe,
        }

    def place_order(self, given: dict[str, Any]) -> Any:
        """Sell a course, unless the institution is known to be suspended."""
        if self._state_of(given["institution_id"]) in NO_SALES:
            raise RefusedHere("the institution is suspended: nothing is sold")
        return self._kept("place_order", given)

    def schedule_lessons(self, given: dict[str, Any]) -> Any:
        """Schedule lessons; the results item by item."""
        return self._kept("schedule_lessons", given)

    def report_consumption(self, given: dict[str, Any]) -> Any:
        """Report records through the durable spool, each when its lesson has ended; what was refused is told."""
        refused: list[dict[str, str]] = []
        for document in given["items"]:
            if reason := self._untaught(document):
                refused.append({"external_id": document["external_id"], "code": reason})
            elif self.now is not None and datetime.fromisoformat(document["occurred_until"]) > self.now:
                self.books.execute(
                    "INSERT OR IGNORE INTO held VALUES (?, ?, ?)",
                    (document["external_id"], json.dumps(document, ensure_ascii=False), document["occurred_until"]),
                )
            else:
                self._spool([document])
        answer = self._drain()
        answer["refused"] = [*refused, *answer["refused"]]
        answer["ids"] = self._ids_of([document["external_id"] for document in given["items"]])
        return answer

    def cancel_lesson(self, given: dict[str, Any]) -> Any:
        """Cancel a lesson, on the version that was looked at; read again when it has changed."""
        answer = self._on_current_version(
            lambda: self.client.lessons.get(given["id"]).version,
            lambda version: self._step("cancelLesson", {"lesson_id": given["id"]}, version, {}),
        )
        self._remember(given["id"], "cancelled")
        return answer

    def cancel_order(self, given: dict[str, Any]) -> Any:
        """Cancel an order that is not paid."""
        answer = self._on_current_version(
            lambda: self.client.orders.get(given["id"]).version,
            lambda version: self._step("cancelOrder", {"order_id": given["id"]}, version, {}),
        )
        self._remember(given["id"], "cancelled")
        return answer

    def approve_refund(self, given: dict[str, Any]) -> Any:
        """Agree to a refund, on the version that was looked at."""
        return self._on_current_version(
            lambda: self.client.refunds.get(given["id"]),
            lambda refund: msgspec.to_builtins(self.client.refunds.approve(refund)),
        )

    def object_to_refund(self, given: dict[str, Any]) -> Any:
        """Object to a refund with a ground, a reason and the records that prove it."""
        objection = msgspec.convert(given["objection"], type=models.RefundObjection)
        return self._on_current_version(
            lambda: self.client.refunds.get(given["id"]),
            lambda refund: msgspec.to_builtins(self.client.refunds.object_to(refund, objection)),
        )

    def change_contact(self, given: dict[str, Any]) -> Any:
        """Change the contact of an institution, on its current version, and nothing else."""
        path, patch = {"institution_id": given["id"]}, {"contact": given["contact"]}
        return self._on_current_version(
            lambda: self.client.institutions.get(given["id"]).version,
            lambda version: self._step("updateInstitution", path, version, patch),
        )

    def subscribe(self, given: dict[str, Any]) -> Any:
        """Subscribe to all events at this system's own address."""
        wanted = models.Subscription(external_id=given["external_id"], url=self.address, event_types=[])
        return msgspec.to_builtins(self.client.subscriptions.create(wanted))

    def unsubscribe(self, given: dict[str, Any]) -> Any:
        """End a subscription, on its current version."""
        current = self.client.subscriptions.get(given["id"])
        self.client.transport.call(
            "deleteSubscription", path={"subscription_id": given["id"]}, if_match=current.version
        )
        return {}

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
                    self._take(event)
                self.books.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?)", (cursor,))
                self.books.execute("COMMIT")
            taken += len(events)
            if not events:
                return {"taken": taken}

    def reconcile(self, given: dict[str, Any]) -> Any:
        """Count the platform's lessons of an institution, to the last page."""
        return {"lessons": sum(1 for _ in self.client.lessons.list(institution_id=given["institution_id"]))}

    def work(self) -> Any:
        """What the product does by itself: send what waits, report what was held until its lesson was over."""
        for intent in outbox.waiting(self.books):
            try:
                self._send(intent)
            except (TransportTrouble, ServerTrouble):
                break
            except ProblemError:
                continue
        for external_id, text, until in self.books.execute("SELECT * FROM held ORDER BY until").fetchall():
            if self.now is None or datetime.fromisoformat(until) <= self.now:
                self._spool([json.loads(text)])
                self.books.execute("DELETE FROM held WHERE external_id = ?", (external_id,))
        answer = self._drain()
        answer["waiting"] += len(outbox.waiting(self.books))
        return answer

    def restart(self, given: dict[str, Any]) -> Any:
        """Stop and start again: everything in memory is gone."""
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
        """What this system knows of subjects, and how often it acted on each event."""
        with self._guard:
            known = self.books.execute("SELECT subject, type, sequence, state FROM known").fetchall()
            seen = self.books.execute("SELECT event_id, times FROM seen").fetchall()
        subjects = {s: {"type": t, "sequence": n, "state": state} for s, t, n, state in known}
        return {"subjects": subjects, "events": dict(seen)}

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """One delivery."""
        with self._guard:
            if self._receiver is None:
                self._receiver = Receiver(
                    self.address,
                    self.client.platform_keys,
                    self.state / "webhooks.db",
                    self._take,
                    refetch_at_most_every_s=0,
                )
            reply = self._receiver.receive(headers, body)
        return reply.status, reply.reason

    def _take(self, event: models.Event) -> None:
        """Act on an event, unless it was acted on before: it may come by webhook and by feed."""
        if self.books.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone() is None:
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

    def _remember(self, subject: str, state: str) -> None:
        self.books.execute(
            "INSERT INTO known VALUES (?, 'own', 0, ?) ON CONFLICT (subject) DO UPDATE SET state = excluded.state",
            (subject, state),
        )

    def _state_of(self, subject: str) -> str | None:
        row = self.books.execute("SELECT state FROM known WHERE subject = ?", (subject,)).fetchone()
        return str(row[0]) if row and row[0] else None

    def _untaught(self, document: dict[str, Any]) -> str | None:
        """Why a record must not be reported at all."""
        if self._state_of(document.get("lesson_id", "")) == "cancelled":
            return "lesson.cancelled"
        return "order.closed" if self._state_of(document["order_id"]) in NO_LESSONS else None

    def _kept(self, action: str, given: dict[str, Any]) -> Any:
        """Write the intent down, then send it; without an answer it waits for the next round of `work`."""
        intent = outbox.intend(self.books, action, given)
        try:
            return self._send(intent)
        except (TransportTrouble, ServerTrouble):
            return {"waiting": 1}

    def _send(self, intent: Intent) -> Any:
        try:
            answer = self._attempt(intent)
        except ProblemError as error:
            if not isinstance(error, ServerTrouble):
                outbox.settle(self.books, intent, "refused")
            raise
        outbox.settle(self.books, intent, "done")
        return answer

    def _attempt(self, intent: Intent) -> Any:
        if intent.action == "schedule_lessons":
            lessons = msgspec.convert(intent.document["items"], type=list[models.Lesson])
            return msgspec.to_builtins(self.client.lessons.schedule(lessons, key=intent.key))
        create, kind = self._creations()[intent.action]
        return msgspec.to_builtins(create(msgspec.convert(intent.document, type=kind), key=intent.key))

    def _creations(self) -> dict[str, tuple[Callable[..., msgspec.Struct], type[msgspec.Struct]]]:
        client = self.client
        return {
            "file_institution": (client.institutions.create, models.Institution),
            "add_campus": (client.campuses.create, models.Campus),
            "add_staff": (client.staff.create, models.Staff),
            "add_material": (client.materials.create, models.Material),
            "file_course": (client.courses.create, models.Course),
            "open_class": (client.classes.create, models.Class),
            "register_pupil": (client.pupils.register, models.Pupil),
            "sign_contract": (client.contracts.create, models.Contract),
            "place_order": (client.orders.create, models.Order),
            "request_refund": (client.refunds.request, models.Refund),
        }

    def _bound(self, keep: Callable[[str, dict[str, Any]], Any], name: str) -> driver.Action:
        return lambda given: keep(name, given)

    def _on_current_version(self, read: Callable[[], Any], change: Callable[[Any], Any]) -> Any:
        """A change on what was just read; read again when somebody else was faster."""
        for left in reversed(range(AGAIN_AT_MOST)):
            try:
                return change(read())
            except Conflict as error:
                if error.status != 412 or not left:
                    raise
        return None

    def _step(self, operation_id: str, path: Mapping[str, str], version: int, body: Any) -> Any:
        answer = self.client.transport.call(operation_id, path=path, body=body, if_match=version)
        return msgspec.json.decode(answer.body)

    def _spool(self, documents: list[dict[str, Any]]) -> None:
        reporter = self._reporter()
        try:
            for document in documents:
                reporter.add(msgspec.convert(document, type=models.ConsumptionRecord))
        finally:
            reporter.close()

    def _drain(self) -> dict[str, Any]:
        reporter = self._reporter()
        try:
            reporter.drain()
        except (TransportTrouble, ServerTrouble):
            pass  # it stays in the spool, under its key
        finally:
            progress = reporter.progress()
            refused = [{"external_id": r.external_id, "code": r.problem.code} for r in reporter.refused()]
            reporter.close()
        return {"waiting": progress.waiting, "done": progress.done, "refused": refused}

    def _ids_of(self, references: list[str]) -> dict[str, str | None]:
        reporter = self._reporter()
        try:
            return {reference: reporter.id_of(reference) for reference in references}
        finally:
            reporter.close()

    def _reporter(self) -> Reporter:
        return Reporter(self.client, self.state / "spool.db")


def run(vendor: GoodVendor, port: int) -> None:
    """Offer the vendor's driver until the process is ended."""
    server = driver.serve(vendor.actions(), port, vendor.webhook, vendor.follow_clock)
    vendor.address = f"http://127.0.0.1:{server.server_address[1]}/webhooks"
    print(f"ready at http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Event().wait()


def run_command(system: driver.System, action: str) -> int:
    """One action by the command contract: the step on standard input, the answer on standard output."""
    actions = {**system.actions(), "describe": lambda given: driver.description(system.actions(), follows_clock=True)}
    step = json.loads(sys.stdin.read() or "{}")
    if action not in actions:
        return 4
    if step.get("now"):
        system.follow_clock(step["now"])
    status, answer = driver.carry_out(actions[action], json.dumps(step.get("given", {})).encode())
    print(json.dumps(answer, ensure_ascii=False))
    return {200: 0, 422: 3}.get(status, 1)


def parser(description: str) -> argparse.ArgumentParser:
    """The command line that all stand-ins share."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--platform", required=True)
    found.add_argument("--client-id", required=True)
    found.add_argument("--key-file", type=Path, required=True)
    found.add_argument("--state", type=Path, required=True)
    found.add_argument("--port", type=int, default=0)
    found.add_argument("--clock-file", type=Path)
    found.add_argument("--fault", default="")
    found.add_argument("--action", default="", help="carry out one action and end")
    found.add_argument("--hurry", action="store_true", help="try for seconds, not for minutes: for a test bench")
    found.add_argument("--address", default="", help="where this system takes deliveries, when --action is given")
    return found


def arguments(description: str) -> argparse.Namespace:
    """What was given on the command line."""
    return parser(description).parse_args()


def main() -> None:
    """Run it."""
    given = arguments("A good vendor's system")
    policy = HURRIED if given.hurry else PATIENT
    vendor = GoodVendor(given.platform, given.client_id, Key.load(given.key_file), given.state, policy=policy)
    if given.action:
        vendor.address = given.address
        sys.exit(run_command(vendor, given.action))
    run(vendor, given.port)


if __name__ == "__main__":
    main()
