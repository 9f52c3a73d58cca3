"""Plays a scenario: moves the business clock, lets the platform behave, asks the system, keeps what came of it.

It judges nothing. A step that cannot be carried out is left out with the reason, and so is every step that builds on
it: checks that need it are blocked, never failed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from offcampus_conformance.drivers.contract import NOT_OFFERED, WAITING, Card, Description, Driver, Outcome, recorded
from offcampus_conformance.played_platform.bank_side import issue
from offcampus_conformance.played_platform.conduct import trick_from
from offcampus_conformance.played_platform.dressing import instant
from offcampus_conformance.played_platform.observed import people
from offcampus_conformance.played_platform.server import PUBLIC, PlayedPlatform
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.scenario.courier import Courier
from offcampus_conformance.scenario.documents import Known, NotKnown, resolve
from offcampus_conformance.scenario.language import Scenario, Step
from offcampus_conformance.signature import Key
from offcampus_conformance.synthetic import SHANGHAI, Synthetic

POLL_S = 0.02
READS = ("get", "list", "quote")
PASSING = (401, 409, 412, 429)
UNHEARD = ("lost", "truncated")


@dataclass
class Stage:
    """One run of one scenario. `patience_s` is how long traffic is waited for that a system sends on its own time."""

    scenario: Scenario
    driver: Driver
    platform: PlayedPlatform
    make: Synthetic
    record: Record
    patience_s: float = 30.0
    known: Known = field(default_factory=Known)
    where: str = "driver"
    _step: Step | None = None
    _new_key: dict[str, str] = field(default_factory=dict)
    _description: Description = field(default_factory=lambda: Description(None, follows_clock=False))

    def __post_init__(self) -> None:
        self.courier = Courier(self.platform, self.record)
        self.platform.attribute = self.attribute
        self._chapter = self.scenario.chapters[0]
        self._order = {step.id: place for place, step in enumerate(self.scenario.steps())}

    def play(self, progress: Callable[[str], None], chapters: Collection[str] | None = None) -> None:
        """Every chapter, or those that are named, in order."""
        self._description = self.driver.describe()
        try:
            for chapter in self.scenario.chapters:
                if chapters is not None and chapter.id not in chapters:
                    for step in chapter.steps:
                        self._omit(step, "its chapter is not played in this run")
                    continue
                self._chapter = chapter
                progress(f"{chapter.title_en} · {chapter.title_zh}")
                for step in chapter.steps:
                    self._play(step)
        finally:
            self.courier.close()

    def attribute(self, operation_id: str | None) -> Mapping[str, Any]:
        """The step that an arriving request belongs to; for one that belongs to none, the nearest that awaits it."""
        step = self._step
        if step is None:
            return {"step": None, "expected": False, "nearest": None}
        operation = operation_id or ""
        if operation in PUBLIC or operation.startswith(READS) or operation in step.arrives:
            return {"step": step.id, "expected": True}
        here = self._order[step.id]
        awaiting = [other.id for other in self.scenario.steps() if operation in other.arrives]
        if any(self._order[id] < here for id in awaiting) and (step.ask == "work" or self._of_this_chapter(awaiting)):
            # What an earlier step asked for may have waited until now, or be on its way by itself.
            return {"step": step.id, "expected": True}
        nearest = min(awaiting, key=lambda id: abs(self._order[id] - here), default=None)
        return {"step": step.id, "expected": False, "nearest": nearest}

    def _of_this_chapter(self, ids: Collection[str]) -> bool:
        return any(step.id in ids for step in self._chapter.steps)

    def _play(self, step: Step) -> None:
        if step.clock and not self._description.follows_clock:
            self._omit(step, "the system does not follow the business clock (its driver does not say so)")
            return
        self._step = step
        conduct = self.platform.conduct
        conduct.forget()
        if step.at is not None:
            self.platform.replies.now = self._moment(step.at)
        for name, value in step.manners.items():
            setattr(conduct, name, value)
        for trick in step.platform:
            conduct.plan(trick_from(trick))
        try:
            self._act(step)
        except NotKnown as reason:
            self._omit(step, str(reason))

    def _act(self, step: Step) -> None:
        if step.ask is not None:
            self._ask(step, step.ask)
        elif step.happens is not None:
            event = self.platform.state.happens(
                self.known[step.happens["to"]], self.platform.replies.now, state=step.happens["becomes"]
            )
            self._moment_note(step, event)
        elif step.opens is not None:
            self._moment_note(step, self._open(step, step.opens))
        elif step.deliver is not None:
            if not self.courier.url:
                raise NotKnown("no subscription has arrived: there is no address to deliver to")
            self.courier.deliver(f"delivery.{step.id}", step.deliver)
        elif step.keys is not None:
            self._turn_keys(step.keys)
            self._moment_note(step, {"keys": step.keys})
        else:
            self._moment_note(step, dict(step.manners))

    def _ask(self, step: Step, action: str) -> None:
        if self._description.actions is not None and action not in self._description.actions:
            self._omit(step, f"the driver does not offer the action {action}")
            return
        given = resolve(step.given, self.make, self.known)
        self.platform.canaries |= people(given)
        card = Card(step.id, action, step.title_en, step.title_zh, given, self._now(), step.arrives)
        before = len(self.record)
        outcome = self.driver.act(card)
        if step.arrives and (outcome.status == WAITING or (outcome.done and self.driver.evidence == "by_hand")):
            self._await(step, before)
        if outcome.status == NOT_OFFERED:
            self._omit(step, f"the system does not offer the action {action}")
            return
        self._note_action(step, card, outcome)
        if action == "new_key" and isinstance(jwk := outcome.answer.get("public_key"), dict):
            self._new_key = {name: str(value) for name, value in jwk.items() if name != "d"}
        self._keep(step, given, before)

    def _note_action(self, step: Step, card: Card, outcome: Outcome) -> None:
        exchange = recorded(f"step.{step.id}", card, outcome, self.driver.evidence, where=self.where)
        names = {"known": dict(self.known), "subjects": dict(self.courier.subjects),
                 "events": {name: event["id"] for name, event in self.courier.events.items()}}  # fmt: skip
        self.record.add(_with_facts(exchange, names))

    def _keep(self, step: Step, given: Mapping[str, Any], before: int) -> None:
        """Names for what arrived: by the party's own references where the suite proposed them, else in order."""
        made = self._made_since(before)
        items = given.get("items", [given])
        rows: list[dict[str, Any]] = []
        for place, name in enumerate(step.keep):
            if name.startswith("guardian.") and rows:
                self.known[name] = rows[-1]["guardians"][0]["id"]
                continue
            reference = items[place].get("external_id") if place < len(items) else None
            row = next((row for row in made if row.get("external_id") == reference), None)
            if row is None and place < len(made):
                row = made[place]
            if row is not None:
                rows.append(row)
                self.known[name] = row["id"]
        for row in made:
            if row["id"].startswith("sub_"):
                self.courier.url = row["url"]

    def _made_since(self, before: int) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for exchange in list(self.record)[before:]:
            body = exchange.json() if exchange.label.startswith("arrived.") and exchange.method == "POST" else None
            if not isinstance(body, dict) or (exchange.status or 500) >= 400:
                continue
            entries = body.get("results", [body])
            for id in (entry.get("id") for entry in entries if isinstance(entry, dict)):
                if isinstance(id, str) and id not in found:
                    try:
                        found[id] = self.platform.state.find(id)[1]
                    except KeyError:
                        continue
        return list(found.values())

    def _open(self, step: Step, opens: Mapping[str, Any]) -> dict[str, Any]:
        state, now, kind = self.platform.state, self.platform.replies.now, opens["kind"]
        about = self.known[opens["about"]]
        if kind == "guardian_refund":
            asked = {"external_id": f"family-{self.make.tag}-{step.id}"[:64], "order_id": about,
                     "reason": "guardian_choice", "requested_at": instant(now), "asked_by": "guardian"}  # fmt: skip
            row = state.store("refunds", asked, now, institution_id=self.known["institution"])
            state.tell("refunds", row, "requested", now)
        else:
            row = issue(state, about, kind, opens.get("amount_fen", 0), now)
        for name in step.keep:
            self.known[name] = row["id"]
        return state.events[-1]

    def _turn_keys(self, what: str) -> None:
        platform = self.platform
        if what == "platform_adds":
            platform.keys.append(Key.generate())
        elif what == "platform_withdraws_old":
            self.courier.withdrawn = platform.keys.pop(0)
        elif what == "register_new":
            if not self._new_key:
                raise NotKnown("the driver gave no new public key")
            platform.public_keys.append(self._new_key)
        else:
            if len(platform.public_keys) < 2:
                raise NotKnown("no new key was registered")
            platform.revoked.add(len(platform.public_keys) - 2)

    def _moment_note(self, step: Step, said: Mapping[str, Any]) -> None:
        """Something on the platform's side, as an exchange that checks can name as what was seen before."""
        self.record.add(
            Exchange(
                label=f"moment.{step.id}", method="PLATFORM", url="played platform", request_headers={},
                request_body=None, status=200, response_headers={}, response_body=json.dumps(said, ensure_ascii=False),
                started_at=datetime.now(UTC).isoformat(), elapsed_ms=0.0,
                facts={"business_at": self._now(), "known": dict(self.known)},
            )
        )  # fmt: skip
        asked = step.happens or step.opens or {}
        if asked.get("delivered") and self.courier.url:
            self.courier.deliver(f"delivery.{step.id}", {"how": "good"}, dict(said))

    def _await(self, step: Step, before: int) -> None:
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            arrived = [exchange for exchange in list(self.record)[before:] if exchange.operation_id in step.arrives]
            if self.platform.conduct.down or any(_settled(exchange) for exchange in arrived):
                return
            time.sleep(POLL_S)

    def _moment(self, at: tuple[int, str]) -> datetime:
        day, clock = at
        hour, minute = clock.split(":")
        start = datetime.combine(self.scenario.starts_on, datetime.min.time(), SHANGHAI)
        return start + timedelta(days=day, hours=int(hour), minutes=int(minute))

    def _now(self) -> str:
        return instant(self.platform.replies.now)

    def _omit(self, step: Step, why: str) -> None:
        for kind in ("step", "delivery", "moment"):
            self.record.omit(f"{kind}.{step.id}", why)


def _settled(exchange: Exchange) -> bool:
    """The system has its answer, and no reason to send the same again."""
    refused = exchange.status is not None and 400 <= exchange.status < 500 and exchange.status not in PASSING
    return (exchange.accepted and exchange.facts.get("trick") not in UNHEARD) or refused


def _with_facts(exchange: Exchange, more: Mapping[str, Any]) -> Exchange:
    return replace(exchange, facts={**exchange.facts, **more})
