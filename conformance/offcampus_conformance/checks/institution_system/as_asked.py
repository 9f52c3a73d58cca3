"""What was asked of the system beside what it sent: the step's card and the request, matched."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from offcampus_conformance.checks.traffic import accepted, during, records
from offcampus_conformance.record import Exchange, NotMet, View

Item = dict[str, Any]
REPORTS = (
    "lesson-one", "lesson-four", "lesson-eight", "lesson-eleven", "lesson-fifteen", "lesson-eighteen",
    "lesson-twentytwo", "lesson-guest-in-outage", "lesson-twentyfive", "lesson-twentynine", "lesson-thirtynine",
    "lesson-fortythree",
)  # fmt: skip
"""The steps that ask for records of lessons that were taught, or count."""
REFUSED_ON_PURPOSE = ("lesson-four", 0)


def given(view: View, step: str) -> Item:
    """What a step gave to the system. Raises StepMissing when the step was left out."""
    body = json.loads(view.step(f"step.{step}").request_body or "{}")
    return body if isinstance(body, dict) else {}


def asked_records(view: View) -> list[tuple[str, Item]]:
    """Every record that was asked for and that the platform takes, with its step."""
    found = []
    for step in REPORTS:
        for place, item in enumerate(given(view, step)["items"]):
            if (step, place) != REFUSED_ON_PURPOSE:
                found.append((step, item))
    return found


def reported(view: View) -> list[tuple[Item, Exchange, Item]]:
    """Records that were asked for, each with the request and the item that reported it. Raises NotMet without any."""
    sent_items = records(view)
    found = []
    for _, wanted in asked_records(view):
        match = next(
            ((e, item) for e, item in sent_items if item.get("external_id") == wanted["external_id"]), None
        ) or next(((e, item) for e, item in sent_items if _of_one_lesson(item, wanted)), None)
        if match is not None:
            found.append((wanted, *match))
    if not found:
        raise NotMet("no record that was asked for arrived")
    return found


def taken(view: View, wanted: Item) -> list[tuple[Exchange, Item]]:
    """The accepted records of the lesson and order that a record is of."""
    return [(e, item) for e, item in accepted(view) if _of_one_lesson(item, wanted) and item["type"] != "reversal"]


def one(view: View, step: str, operation_id: str) -> tuple[Item, Exchange, Item]:
    """What a step asked for, and the first request that carried it. Raises NotMet when none arrived."""
    wanted, found = given(view, step), during(view, step, operation_id)
    if not found:
        raise NotMet(f"no {operation_id} arrived in {step!r}")
    body = found[0].sent()
    return wanted, found[0], body if isinstance(body, dict) else {}


def same_instant(left: Any, right: Any) -> bool:
    """Two texts name the same instant, whatever their offsets."""
    try:
        return datetime.fromisoformat(str(left)) == datetime.fromisoformat(str(right))
    except (ValueError, TypeError):
        return False


def _of_one_lesson(item: Item, wanted: Item) -> bool:
    return (item.get("order_id"), item.get("lesson_id")) == (wanted["order_id"], wanted.get("lesson_id")) and (
        same_instant(item.get("occurred_from"), wanted["occurred_from"])
    )
