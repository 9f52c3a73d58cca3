"""What can happen, step by step. Each finds what it can act on in the database, draws one, and acts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from offcampus_server.funds import statement_files
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.registry import SWEEPS

from simulation.script import Step
from simulation.town import LESSONS, lesson_centi, lesson_ends, lesson_starts
from simulation.world import Broken, World

Act = Callable[[World], None]
STEPS: dict[str, Act] = {}


def perform(world: World, step: Step) -> None:
    """Carry out one step."""
    world.random, world.step, world.outcome = Random(step.draw), step, "nothing to do"  # noqa: S311
    STEPS[step.name](world)


def step(act: Act) -> Act:
    """Name a step after its function."""
    STEPS[act.__name__] = act
    return act


@step
def tick(world: World) -> None:
    """Time passes, mostly forwards."""
    hours = world.random.choice((1, 2, 4, 8, 16, 24, 36)) if not world.chance(3) else -1
    world.house.clock.turn(timedelta(hours=hours, minutes=world.random.randrange(60)))
    world.outcome = f"{hours} h"


@step
def buy(world: World) -> None:
    """A family places an order, at an ordinary or an awkward price, of one line or of several that say their hours."""
    family = world.random.choice(world.town.families)
    hours = world.random.randint(1, 24) * 100
    gift = 200 if world.chance(20) else 0
    price = world.random.choice((world.random.randint(1, 9), world.random.randint(10, 500_000), 100_000))
    discount = world.random.randint(0, price - 1) if world.chance(20) else 0
    lines = price_table(world, price, hours + gift if family.gift_hours_policy == "pro_rata" else hours)
    world.keys += 1
    world.request("vendor", "createOrder", {
        "external_id": f"ord-{world.keys}", "institution_id": world.town.institution_id, "pupil_id": family.pupil_id,
        "guardian_id": family.guardian_id, "course_id": world.town.course_id, "contract_id": family.contract_id,
        "class_hours_centi": hours, "gift_hours_centi": gift, "price_lines": lines,
        "total_fen": price - discount, "discount_fen": discount, "service_from": world.now.date().isoformat(),
        "service_until": (world.now.date() + timedelta(days=80)).isoformat(), "charge_method": "by_hours",
        "ordered_at": rfc3339(world.now), "renewal": False, "training_loan": False,
    })  # fmt: skip


def price_table(world: World, price: int, carrying: int) -> list[dict[str, Any]]:
    """The price in one line, or the hours in stages of their own price, with something beside them that has none."""
    line = {"kind": "tuition", "title": "学费", "amount_fen": price}
    if price < 10 or carrying < 200 or not world.chance(30):
        return [line]
    first, stage = world.random.randint(1, price - 3), world.random.randrange(100, carrying, 100)
    beside = world.random.randint(1, price - first - 1) if world.chance(50) else 0
    table = [
        {**line, "amount_fen": first, "class_hours_centi": stage},
        {**line, "amount_fen": price - first - beside, "class_hours_centi": carrying - stage},
    ]
    return [*table, {"kind": "material", "title": "资料费", "amount_fen": beside}] if beside else table


@step
def pay(world: World) -> None:
    """The family pays through one to three channels; some of them say at once that they have the money."""
    found = world.pick("SELECT id, total_fen, guardian_id FROM orders WHERE state = 'awaiting_payment' ORDER BY id")
    if found is None:
        return
    order_id, total, guardian_id = found
    amounts, left = [], total
    for _ in range(world.random.randint(0, 2)):
        if left > 1:
            amounts.append(world.random.randint(1, left - 1))
            left -= amounts[-1]
    amounts.append(left)
    if world.chance(3):
        amounts[0] += 1
    channels = ("wechat", "alipay", "bank_card")
    confirmed = world.random.choice((0, 0, 0, 40, 100))
    parts = [
        {
            "channel": channel, "amount_fen": fen, "payer_reference": channel,
            **({"captured_at": rfc3339(world.now)} if world.chance(confirmed) else {}),
        }
        for channel, fen in zip(channels, amounts, strict=False)
    ]  # fmt: skip
    world.keys += 1
    body = {
        "external_id": f"pay-{world.keys}",
        "order_id": order_id,
        "parts": parts,
        "payer": {"guardian_id": guardian_id},
    }
    world.request("guardian_app", "createPayment", body)


@step
def cancel(world: World) -> None:
    """An order is cancelled."""
    found = world.pick("SELECT id, version FROM orders WHERE state IN ('awaiting_payment', 'paid') ORDER BY id")
    if found is not None:
        world.request("vendor", "cancelOrder", {}, found[1], order_id=found[0])


PARTS = """
SELECT p.id, q.part_no, q.amount_fen, p.order_id, q.captured_at
FROM payment_parts q JOIN payments p ON p.id = q.payment_id
WHERE q.settled_at IS NULL AND p.state IN ({}) ORDER BY p.id, q.part_no
"""


@step
def arrive(world: World) -> None:
    """Money arrives at the bank, which tells it: once, twice under two names, or with another part at once.

    What a channel had already comes days later, or at once, and less what the channel keeps.
    """
    states = "'pending'" if not world.chance(6) else "'pending', 'failed'"
    open_parts = [
        row for row in world.oracle.rows(PARTS.format(states)) if (row[0], row[1]) not in world.bank.sent_parts
    ]
    world.random.shuffle(open_parts)
    lines = []
    for part in open_parts[: world.random.choice((1, 1, 1, 2))]:
        lines += receive(world, part, world.random.choice(world.town.accounts))
    if lines:
        world.request("bank", "reportCustodyMovements", {"items": lines})


def receive(world: World, part: tuple[Any, ...], account: str) -> list[dict[str, Any]]:
    """The bank has a part's money; the lines that it tells of it."""
    payment_id, part_no, amount, order_id, captured_at = part
    fee = min(amount // 160, amount - 1) if captured_at is not None and world.chance(60) else 0
    world.bank.sent_parts.add((payment_id, part_no))
    world.bank.receipt(order_id, account, amount, fee)
    named = {"payment_id": payment_id, "part_no": part_no, **({"fee_fen": fee} if fee else {})}
    lines = [world.bank.line(world.now, account, "receipt", amount - fee, True, **named)]
    if world.chance(6):
        lines.append(world.bank.line(world.now, account, "receipt", amount - fee, False, **named))
    return lines


@step
def stray(world: World) -> None:
    """The bank tells a line that is nobody's: a wrong sum, a wrong account's, an instruction that it never had."""
    part = world.pick(PARTS.format("'pending', 'settled'"))
    task = world.pick(
        "SELECT id, amount_fen, account_id, kind FROM custody_instructions WHERE amount_fen > 0 ORDER BY id"
    )
    account = world.random.choice(world.town.accounts)
    if part is not None and world.chance(50):
        amount, named = part[2] + world.random.choice((-1, 1)), {"payment_id": part[0], "part_no": part[1]}
        kind = "receipt"
    elif task is not None:
        amount, named = task[1] + world.random.choice((-1, 1)), {"instruction_id": task[0]}
        account, kind = (task[2], task[3]) if world.chance(70) else (account, "release")
    else:
        return
    if amount > 0:
        world.request(
            "bank", "reportCustodyMovements",
            {"items": [world.bank.line(world.now, account, kind, amount, False, **named)]},
        )  # fmt: skip


TAUGHT = """
SELECT o.id, o.ordered_at FROM orders o WHERE o.state IN ('paid', 'refunding')
AND o.reported_centi < o.class_hours_centi + o.gift_hours_centi ORDER BY o.id
"""


@step
def teach(world: World) -> None:
    """The institution reports lessons of an order; now and then one too many, or one that is reported already."""
    found = world.pick(TAUGHT)
    if found is None:
        return
    order_id, ordered_at = found
    since = datetime.fromisoformat(ordered_at) if isinstance(ordered_at, str) else ordered_at
    query = "SELECT lesson_id FROM consumption_records WHERE order_id = ? AND state <> 'void'"
    taken = {row[0] for row in world.oracle.rows(query, order_id)} if not world.chance(5) else set()
    over = [
        number
        for number in range(LESSONS)
        if since <= lesson_starts(number) < world.now - timedelta(hours=4) and world.town.lessons[number] not in taken
    ]
    items = []
    for number in over[: world.random.choice((1, 1, 2, 3))]:
        starts, ends, world.keys = lesson_starts(number), lesson_ends(number), world.keys + 1
        items.append({
            "external_id": f"con-{world.keys}", "institution_id": world.town.institution_id, "order_id": order_id,
            "lesson_id": world.town.lessons[number], "type": "lesson",
            "class_hours_centi": lesson_centi(number), "teacher_id": world.town.staff_id,
            "occurred_from": rfc3339(starts), "occurred_until": rfc3339(ends), "place": {"room": "101"},
            "proof": {"kind": "roll_call", "reference": "r", "recorded_at": rfc3339(ends + timedelta(minutes=1))},
            "notified_at": rfc3339(starts + timedelta(hours=3)),
        })  # fmt: skip
    if items:
        world.request("vendor", "reportConsumption", {"items": items})


RECORDS = "SELECT id, version, order_id, class_hours_centi FROM consumption_records WHERE state IN ({}) ORDER BY id"


@step
def reverse(world: World) -> None:
    """The institution takes a record back."""
    found = world.pick(RECORDS.format("'reported', 'confirmed'"))
    if found is None:
        return
    world.keys += 1
    starts = lesson_starts(0)
    item = {
        "external_id": f"con-{world.keys}", "institution_id": world.town.institution_id, "order_id": found[2],
        "type": "reversal", "reverses": found[0], "class_hours_centi": found[3],
        "occurred_from": rfc3339(starts), "occurred_until": rfc3339(starts + timedelta(minutes=90)),
        "notified_at": rfc3339(starts + timedelta(hours=2)),
        "proof": {"kind": "roll_call", "reference": "r", "recorded_at": rfc3339(starts + timedelta(minutes=91))},
    }  # fmt: skip
    world.request("vendor", "reportConsumption", {"items": [item]})


@step
def confirm(world: World) -> None:
    """The guardian confirms a lesson."""
    if (found := world.pick(RECORDS.format("'reported'"))) is not None:
        world.request("guardian_app", "confirmConsumption", {}, found[1], consumption_record_id=found[0])


@step
def dispute(world: World) -> None:
    """The guardian disputes a lesson."""
    if (found := world.pick(RECORDS.format("'reported'"))) is not None:
        body = {"reason": "not_taught"}
        world.request("guardian_app", "disputeConsumption", body, found[1], consumption_record_id=found[0])


@step
def rule(world: World) -> None:
    """The authority rules on a dispute."""
    if (found := world.pick(RECORDS.format("'disputed'"))) is not None:
        body = {"ruling": world.random.choice(("uphold_parent", "uphold_institution")), "text": "裁定"}
        world.request("authority", "resolveDispute", body, found[1], consumption_record_id=found[0])


ASKABLE = "SELECT id FROM orders WHERE state IN ({}) ORDER BY id"


@step
def ask(world: World) -> None:
    """Somebody asks for a refund; of an order that has one already too."""
    states = "'paid', 'refunding'" if not world.chance(10) else "'paid', 'refunding', 'awaiting_payment', 'closed'"
    if (found := world.pick(ASKABLE.format(states))) is not None:
        who, world.keys = world.random.choice(("guardian_app", "vendor")), world.keys + 1
        world.request(who, "requestRefund", {
            "external_id": f"rfd-{world.keys}", "order_id": found[0], "reason": "guardian_choice",
            "requested_at": rfc3339(world.now), "asked_by": "guardian",
        })  # fmt: skip


REFUNDS = "SELECT id, version FROM refunds WHERE state IN ({}) ORDER BY id"


@step
def approve(world: World) -> None:
    """The institution agrees to a refund, or has a failed one paid again."""
    if (found := world.pick(REFUNDS.format("'requested', 'objected', 'failed'"))) is not None:
        world.request("vendor", "approveRefund", {}, found[1], refund_id=found[0])


@step
def object(world: World) -> None:
    """The institution objects."""
    if (found := world.pick(REFUNDS.format("'requested'"))) is not None:
        body = {"ground": "other", "reason": "课时有争议"}
        world.request("vendor", "objectToRefund", body, found[1], refund_id=found[0])


TASKS = """
SELECT id, order_id, account_id, amount_fen, kind, state FROM custody_instructions
WHERE order_id IS NOT NULL ORDER BY id
"""


def open_tasks(world: World) -> list[tuple[Any, ...]]:
    """Instructions with which the bank is not at an end; one that the platform did not let it fail is open again."""
    sent = {dict(request.path).get("instruction_id") for request in world.waiting}
    found = []
    for row in world.oracle.rows(TASKS):
        task = world.bank.tasks[row[0]]
        if row[5] == "executed" and not (task.moved or task.told_end):
            continue  # officers have booked what the bank did: nobody asked it for anything
        if task.told_end and row[5] in ("issued", "accepted") and row[0] not in sent:
            task.told_end, task.told_line = False, task.told_line and task.moved
        if not (task.told_end and task.told_line):
            found.append(row)
    return found


@step
def bank(world: World) -> None:
    """The bank goes on with an instruction: takes it on, moves the money, tells so, tells its line; or fails."""
    if not (rows := open_tasks(world)):
        return
    id, order_id, account, amount, kind, _ = world.random.choice(rows)
    task = world.bank.tasks[id]
    if not task.moved and not task.told_end:
        roll = world.random.randrange(100)
        if roll < 10:
            world.request("bank", "acceptCustodyInstruction", {}, instruction_id=id)
            return
        if roll < 18:
            task.told_end, task.told_line = True, True
            _tell_failure(world, id)
            return
        world.bank.move(id, order_id, account, amount, world.now.date())
        task = world.bank.tasks[id]
        if roll < 25:  # it says that it failed, and it had not: it owns up at once, or later
            task.told_end = True
            _tell_failure(world, id)
            if world.chance(50):
                tell_line(world, id, account, amount, kind)
            return
    if not task.told_line and (task.told_end or world.chance(40)):
        tell_line(world, id, account, amount, kind)
        return
    task.told_end = True
    tell_execution(world, id)
    if world.chance(5):
        tell_execution(world, id, "another")


def tell_line(world: World, id: str, account: str, amount: int, kind: str) -> None:
    """The bank tells its line of a movement."""
    world.bank.tasks[id].told_line = True
    line = world.bank.line(world.now, account, kind, amount, True, instruction_id=id)
    world.request("bank", "reportCustodyMovements", {"items": [line]})


def tell_execution(world: World, id: str, reference: str = "") -> None:
    """The bank says that it moved the money."""
    body = {"bank_reference": reference or f"X{id[-10:]}", "executed_at": rfc3339(world.now)}
    world.request("bank", "executeCustodyInstruction", body, instruction_id=id)


def _tell_failure(world: World, id: str) -> None:
    world.request("bank", "failCustodyInstruction", {"code": "account_closed", "text": "账户已销户"}, instruction_id=id)


CLAIMS = """
SELECT order_id, CAST(SUM(CASE WHEN kind = 'claim' THEN amount_fen ELSE -amount_fen END) AS BIGINT) AS owed
FROM ledger_transfers WHERE kind IN ('claim', 'claim_paid') GROUP BY order_id
HAVING SUM(CASE WHEN kind = 'claim' THEN amount_fen ELSE -amount_fen END) > 0 ORDER BY order_id
"""


@step
def claim(world: World) -> None:
    """The institution pays what it owes an order, or part of it."""
    if (found := world.pick(CLAIMS)) is not None:
        pay_claim(world, found[0], world.random.randint(1, found[1]))


def pay_claims(world: World) -> None:
    """The institution pays everything that it owes and the bank has not been told of yet."""
    for order_id, owed in world.oracle.rows(CLAIMS):
        pay_claim(world, order_id, owed)


def pay_claim(world: World, order_id: str, fen: int) -> None:
    """Money for an order comes into the first account; the bank tells it."""
    on_their_way = [line for request in world.waiting for line in (request.body or {}).get("items", ())]
    if order_id in {line.get("order_id") for line in on_their_way}:
        return
    account = world.town.accounts[0]
    world.bank.receipt(order_id, account, fen)
    line = world.bank.line(world.now, account, "claim_paid", fen, True, order_id=order_id)
    world.request("bank", "reportCustodyMovements", {"items": [line]})


@step
def statement(world: World) -> None:
    """The bank submits a day's statement, sometimes without one of its lines."""
    account = world.random.choice(world.town.accounts)
    days = sorted({line["value_on"] for line in world.bank.documents if line["account_id"] == account})
    if not days:
        return
    day = world.random.choice(days)
    close_day(world, account, date.fromisoformat(day), leave_out=int(world.chance(15)))


def close_day(world: World, account: str, day: date, leave_out: int = 0) -> None:
    """The bank's statement of a day: its balances are the true ones, told or not."""
    mine = [line for line in world.bank.documents if line["account_id"] == account]
    lines = [line for line in mine if line["value_on"] == day.isoformat()]

    def balance(until: date) -> int:
        told = (line for line in mine if line["value_on"] <= until.isoformat())
        signed = sum(line["amount_fen"] * (1 if line["direction"] == "credit" else -1) for line in told)
        return max(signed - world.bank.untold(account, until), 0)

    body = {
        "opening_balance_fen": balance(day - timedelta(days=1)), "closing_balance_fen": balance(day),
        "lines": lines[leave_out:],
    }  # fmt: skip
    operation = "submitStatement"
    if world.chance(25):
        operation, body = "submitStatementFile", as_file(body, world.random.choice(("csv", "csv", "xlsx")))
    world.request("bank", operation, body, account_id=account, statement_on=day.isoformat())


def as_file(document: dict[str, Any], form: str) -> dict[str, Any]:
    """The same as a file of the bank's."""
    written = statement_files.write(form, document, "statement", "zh-CN")
    return {"format": form, "content": written["content"]}


@step
def sweep(world: World) -> None:
    """The worker's rounds, one or all of them."""
    names = list(SWEEPS)
    for name in names if world.chance(40) else [world.random.choice(names)]:
        world.sweep(name)
    world.outcome = "swept"


@step
def freeze(world: World) -> None:
    """A department has an account frozen, or unfrozen again."""
    found = world.pick("SELECT id, version, state FROM custody_accounts WHERE institution_id = ? ORDER BY id",
                       world.town.institution_id)  # fmt: skip
    if found is not None:
        order_about(world, *found)


def order_about(world: World, account: str, version: int, state: str) -> None:
    """Freeze an open account, unfreeze a frozen one."""
    body = {"document_number": "教培〔2026〕1号", "reason": "核查", "officer": "OFF-1"}
    operation = "freezeCustodyAccount" if state == "open" else "unfreezeCustodyAccount"
    world.request("authority", operation, body, version, account_id=account)


@step
def order(world: World) -> None:
    """The bank carries out what a department has ordered, or says that it could not."""
    found = world.pick("SELECT id FROM custody_instructions WHERE order_id IS NULL AND state = 'issued' ORDER BY id")
    if found is None:
        return
    if world.chance(10):
        _tell_failure(world, found[0])
    else:
        tell_execution(world, found[0])


DIFFERENCES = """
SELECT d.id, d.version, d.state, d.type, m.document, d.settlement, d.instruction_id FROM differences d
LEFT JOIN custody_movements m ON m.id = d.movement_id WHERE d.state IN ('open', 'proposed') {} ORDER BY d.id
"""


@step
def settle(world: World) -> None:
    """Two officers settle a difference: one proposes, another agrees, or sends it back."""
    if (found := world.pick(DIFFERENCES.format(""))) is not None:
        settle_one(world, found)


def settle_one(world: World, found: tuple[Any, ...]) -> None:
    """The next step of one settlement."""
    id, version, state, kind, line, settlement, instruction_id = found
    if state == "proposed":
        same = world.chance(5)
        by = plain(settlement)["officer"] if same else "OFF-2"
        operation = "approveSettlement" if world.chance(85) else "rejectSettlement"
        body = {"officer": by, "note": "已核对"}
        world.request("authority", operation, body, version, difference_id=id)
        return
    body = {"action": "explained", "officer": "OFF-1", "note": "已核对"}
    if kind == "late_success" and line is not None:
        body["action"] = "book_execution"
    elif kind == "end_uncertain":
        if world.bank.tasks[instruction_id].moved:
            return  # they ask the bank, which looks again
        body["action"] = "confirm_failure"
    elif kind == "unlinked" and line is not None and "payment_id" in (sent := plain(line)):
        body |= {"action": "book_receipt", "payment_id": sent["payment_id"], "part_no": sent["part_no"]}
    world.request("authority", "proposeSettlement", body, version, difference_id=id)


def plain(document: Any) -> Any:
    """A document of a raw row, whatever the engine gives."""
    return json.loads(document) if isinstance(document, str) else document


@step
def retry(world: World) -> None:
    """A request that is under way arrives, or one without an answer is sent again; in any order."""
    if world.waiting:
        world.send(world.waiting.pop(world.random.randrange(len(world.waiting))))


@step
def again(world: World) -> None:
    """A request that was answered is sent again: the same answer, and nothing else happens."""
    if not world.known:
        return
    request, before = world.random.choice(world.known)
    newest = world.oracle.one("SELECT max(seq) FROM events")
    world.step = Step("again", world.step.draw)
    kept = len(world.known)
    answer = world.send(request)
    del world.known[kept:]
    if answer is None or (answer.status, answer.body) != (before.status, before.body):
        raise Broken("one key, one answer", f"{request.operation} {request.key}: {world.outcome}")
    if world.oracle.one("SELECT max(seq) FROM events") != newest:
        raise Broken("one key, one effect", f"{request.operation} {request.key}")


@step
def cheat(world: World) -> None:
    """A key is used for another request: refused, and nothing else happens."""
    if not world.known:
        return
    request, _ = world.random.choice(world.known)
    name = next((name for name in ("external_id", "bank_reference") if name in request.body), None)
    if name is None:
        return
    other = replace(request, body={**request.body, name: f"not-{request.body[name]}"[:60]})
    newest = world.oracle.one("SELECT max(seq) FROM events")
    world.step = Step("cheat", world.step.draw)
    if world.send(other) is not None:
        raise Broken("one key, one request", f"{request.operation} {request.key}")
    if world.oracle.one("SELECT max(seq) FROM events") != newest:
        raise Broken("one key, one effect", f"{request.operation} {request.key}")


@step
def read(world: World) -> None:
    """A family reads its order's statement: the lines add up to the sums that are told."""
    if (found := world.pick("SELECT id FROM orders ORDER BY id")) is None:
        return
    guardian = world.town.parties["guardian_app"]
    body = world.house.serve(guardian, "getOrderStatement", {"order_id": found[0]}, None).body
    for kinds, state, name in (
        (("receipt", "capture"), "posted", "paid_fen"), (("release", "fee_netted"), "posted", "released_fen"),
        (("refund",), "posted", "refunded_fen"), (("release",), "pending", "pending_release_fen"),
        (("refund",), "pending", "pending_refund_fen"),
    ):  # fmt: skip
        counted = [line for line in body["lines"] if line["kind"] in kinds and line["state"] == state]
        lines = sum(line["amount_fen"] for line in counted)
        if lines != body[name]:
            raise Broken("a statement's lines add up", f"{found[0]} {name}: {lines}, told {body[name]}")
    world.outcome = "read"
