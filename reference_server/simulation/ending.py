"""The end of a history: faults stop, and within 48 virtual hours all money reaches a place where it may stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from offcampus_server.registry import SWEEPS

from simulation import steps
from simulation.invariants import Watch, books
from simulation.script import Step
from simulation.world import Broken, World

HOURS, EVERY = 48, 6


def heal(world: World, watch: Watch) -> None:
    """Everybody does what they owe, for two days. Raises Broken."""
    closed = None
    for _ in range(HOURS // EVERY):
        world.step = Step("heal", 0)
        world.house.clock.turn(timedelta(hours=EVERY))
        _departments(world)
        _officers(world)
        _people(world)
        watch.after_step()
        _deliver(world, watch)
        _bank(world)
        if (yesterday := world.now.date() - timedelta(days=1)) != closed:
            closed = yesterday
            for account in world.town.accounts:
                steps.close_day(world, account, yesterday)
        for name in SWEEPS:
            world.sweep(name)
        watch.after_step()
    _bank(world)
    watch.after_step()
    watch.everything()
    for invariant, detail in _unsettled(world, watch):
        raise Broken(invariant, detail)


def _officers(world: World) -> None:
    doubts = steps.DIFFERENCES.format("AND d.type IN ('late_success', 'end_uncertain')")
    for _ in range(2):
        for found in world.oracle.rows(doubts):
            steps.settle_one(world, found)


def _departments(world: World) -> None:
    for account, version in world.oracle.rows("SELECT id, version FROM custody_accounts WHERE state = 'frozen'"):
        steps.order_about(world, account, version, "frozen")
    for (id,) in world.oracle.rows("SELECT id FROM custody_instructions WHERE order_id IS NULL AND state = 'issued'"):
        steps.tell_execution(world, id)


def _deliver(world: World, watch: Watch) -> None:
    under_way, world.waiting = world.waiting, []
    for request in under_way:
        world.send(request)
        watch.after_step()


def _people(world: World) -> None:
    for id, version, _, _ in world.oracle.rows(steps.RECORDS.format("'reported'")):
        world.request("guardian_app", "confirmConsumption", {}, version, consumption_record_id=id)
    for id, version, _, _ in world.oracle.rows(steps.RECORDS.format("'disputed'")):
        body = {"ruling": "uphold_parent", "text": "裁定"}
        world.request("authority", "resolveDispute", body, version, consumption_record_id=id)
    for id, version in world.oracle.rows(steps.REFUNDS.format("'requested', 'objected'")):
        world.request("vendor", "approveRefund", {}, version, refund_id=id)


def _bank(world: World) -> None:
    for part in world.oracle.rows(steps.PARTS.format("'pending'")):
        if (part[0], part[1]) not in world.bank.sent_parts:
            lines = steps.receive(world, part, world.town.accounts[0])
            world.request("bank", "reportCustodyMovements", {"items": lines})
    for id, order_id, account, amount, kind, _ in steps.open_tasks(world):
        if not world.bank.tasks[id].moved and not world.bank.tasks[id].told_end:
            world.bank.move(id, order_id, account, amount, world.now.date())
        task = world.bank.tasks[id]
        if not task.told_end:
            task.told_end = True
            steps.tell_execution(world, id)
        if not task.told_line:
            steps.tell_line(world, id, account, amount, kind)
    steps.pay_claims(world)


def _unsettled(world: World, watch: Watch) -> Iterator[tuple[str, str]]:
    """Money that is still between two places, or in one that nobody can name."""
    if world.waiting:
        yield "every request gets its answer", f"{len(world.waiting)} wait, first {world.waiting[0].operation}"
    for id, order_id in world.oracle.rows("SELECT id, order_id FROM ledger_transfers WHERE state = 'pending'"):
        if not watch.doubted(order_id):
            yield "all money reaches an end", f"{id} of {order_id} is pending"
    waiting = world.oracle.rows("SELECT order_id FROM releases_waiting WHERE settles_at <= ?", world.now)
    for (order_id,) in waiting if world.town.school.mode != "batch_above_unconsumed" else ():
        if not watch.doubted(order_id) and not watch.fees_owed():  # which the bank accounts lack
            yield "all money reaches an end", f"a release of {order_id} waits"
    query = "SELECT id, order_id, state, amount_fen FROM refunds WHERE state <> 'paid'"
    for id, order_id, state, amount in world.oracle.rows(query):
        short = amount - watch.instructed(id)  # what a channel kept, the institution owes first
        if not watch.doubted(order_id) and not (state == "paying" and 0 < short <= watch.fees_owed()):
            yield "all money reaches an end", f"{id} of {order_id} is {state}"
    for account, real, explained in books(world):
        if real != explained:
            yield "the bank has what our books and the named differences say", f"{account}: {real}, ours {explained}"
