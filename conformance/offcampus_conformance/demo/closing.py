"""The closing of the day: who paid, what was taught, released, refunded, left; and whether bank and platform agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from offcampus_sdk import models

from offcampus_conformance.demo.story import Story, yuan


@dataclass(frozen=True)
class Finding:
    """Something that does not add up."""

    text: str


def table(story: Story) -> list[str]:
    """The closing table as lines of text."""
    head = ("family", "paid", "hours taught", "released", "refunded", "in escrow", "state")
    rows = [_row(family.letter, story.order(family)) for family in story.families]
    total = _total([story.order(family) for family in story.families])
    widths = [max(len(row[column]) for row in (head, *rows, total)) for column in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    rule = "  ".join("-" * width for width in widths)
    return [lines[0], rule, *lines[1:], rule, "  ".join(c.rjust(w) for c, w in zip(total, widths, strict=True))]


def check(story: Story) -> list[Finding]:
    """Everything that must hold at the end; empty when it does."""
    return [*_bank(story), *_orders(story), *_records(story)]


def _bank(story: Story) -> list[Finding]:
    findings = []
    account = {"account_id": story.ids["account"]}
    statement, books = story.bank("statement", account), story.bank("balance", account)
    if statement.get("state") != "reconciled":
        findings.append(Finding(f"the last statement is {statement.get('state')}: {statement.get('breaks')}"))
    orders = [story.order(family) for family in story.families]
    for name, kind in (("paid_fen", "receipt"), ("released_fen", "release"), ("refunded_fen", "refund")):
        ours = sum(getattr(order, name) for order in orders)
        theirs = books["moved_fen"].get(kind, 0)
        if ours != theirs:
            findings.append(Finding(f"{name}: the platform has {yuan(ours)}, the bank {yuan(theirs)}"))
    escrow = sum(order.escrow_fen for order in orders)
    if escrow != books["balance_fen"]:
        findings.append(Finding(f"in escrow {yuan(escrow)}, in the bank's account {yuan(books['balance_fen'])}"))
    return findings


def _orders(story: Story) -> list[Finding]:
    findings = []
    for family in story.families:
        order = story.order(family)
        out = order.escrow_fen + order.released_fen + order.refunded_fen
        if order.paid_fen != out + order.pending_release_fen + order.pending_refund_fen:
            findings.append(Finding(f"family {family.letter}: what was paid is not what left and is left"))
    return findings


def _records(story: Story) -> list[Finding]:
    findings = []
    for family in story.families:
        records = list(story.guardian_app.consumption_records.list(order_id=family.ids["order"]))
        lessons = Counter(str(record.lesson_id) for record in records if record.state != "void")
        if twice := [lesson for lesson, count in lessons.items() if count > 1]:
            findings.append(Finding(f"family {family.letter}: lessons recorded twice: {twice}"))
        if lost := set(family.records.values()) - {record.id for record in records}:
            findings.append(Finding(f"family {family.letter}: acknowledged records are lost: {sorted(lost)}"))
    return findings


def check_events(story: Story) -> list[Finding]:
    """Every change of every subject has exactly one event: sequences run from 1 without gap and without repetition."""
    sequences: dict[str, list[int]] = defaultdict(list)
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = story.county.events.list(after=cursor, limit=500)
        events, cursor = page.items, page.next_cursor
        if not events:
            break
        ids += [event.id for event in events]
        for event in events:
            sequences[event.subject].append(int(event.sequence))
    findings = [Finding("an event id stands twice")] if len(ids) != len(set(ids)) else []
    for subject, found in sequences.items():
        if found != list(range(1, len(found) + 1)):
            findings.append(Finding(f"events of {subject} do not run from 1 without gap: {found}"))
    return findings


def _row(letter: str, order: models.OrderResource) -> tuple[str, ...]:
    hours = (
        f"{order.consumed_class_hours_centi / 100:g} of {(order.class_hours_centi + order.gift_hours_centi) / 100:g}"
    )
    money = (order.released_fen, order.refunded_fen, order.escrow_fen)
    return letter, yuan(order.paid_fen), hours, *(yuan(amount) for amount in money), order.state


def _total(orders: list[models.OrderResource]) -> tuple[str, ...]:
    names = ("released_fen", "refunded_fen", "escrow_fen")
    sums = (yuan(sum(getattr(order, name) for order in orders)) for name in names)
    return "all", yuan(sum(order.paid_fen for order in orders)), "", *sums, ""
