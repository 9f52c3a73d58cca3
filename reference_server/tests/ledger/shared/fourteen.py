"""The fourteen invariants of money, each from raw rows: what is written down and not what the server says of it.

Each yields what breaks it; nothing when it holds. `order` narrows those that can be narrowed to one order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from offcampus_server.kernel.clock import security_instant
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger.verification import verify
from offcampus_server.prooflog import heads, sequencer
from offcampus_server.prooflog import verification as log
from sqlalchemy import text
from world import World

Look = Callable[[Work, str], Iterator[object]]
ESCROW = "SELECT credits_posted - debits_posted - debits_pending FROM ledger_accounts WHERE id = 'escrow:' || :order"
PARTS = "FROM ledger_transfers WHERE order_id = :order AND payment_id IS NOT NULL"


def _rows(work: Work, statement: str, **values: Any) -> list[Any]:
    return list(work.connection.execute(text(statement), values))


def legs_sum_to_zero(work: Work, _: str) -> Iterator[object]:
    """1: what all accounts gave is what all accounts got, posted and pending."""
    query = "SELECT SUM(debits_posted - credits_posted), SUM(debits_pending - credits_pending) FROM ledger_accounts"
    yield from (row for row in _rows(work, query) if any(row))


def custody_of_an_order_is_what_came_less_what_went(work: Work, order: str) -> Iterator[object]:
    """2: and never below zero."""
    moved = (
        "SELECT coalesce(SUM(CASE WHEN credit_account_id = 'escrow:' || :order AND state = 'posted' THEN amount_fen"
        " WHEN debit_account_id = 'escrow:' || :order AND state <> 'voided' THEN -amount_fen ELSE 0 END), 0)"
        " FROM ledger_transfers WHERE order_id = :order"
    )
    (kept,), (told,) = _rows(work, ESCROW, order=order)[0], _rows(work, moved, order=order)[0]
    if kept != told or kept < 0:
        yield kept, told


def bank_accounts_hold_what_orders_have(work: Work, _: str) -> Iterator[object]:
    """3: per institution, with what is in transit and what channels kept."""
    yield from _rows(work, "SELECT institution_id FROM ledger_accounts GROUP BY institution_id"
                           " HAVING SUM(debits_posted - credits_posted) <> 0")  # fmt: skip


def released_is_at_most_earned(work: Work, order: str) -> Iterator[object]:
    """4: the whole part of the price for the share of the hours that is confirmed."""
    query = (
        "SELECT o.id FROM orders o WHERE o.id = :order AND (SELECT coalesce(SUM(t.amount_fen), 0) FROM ledger_transfers t"
        " WHERE t.order_id = o.id AND t.kind IN ('release', 'fee_netted') AND t.state <> 'voided')"
        " > o.total_fen * o.confirmed_centi / (o.class_hours_centi + o.gift_hours_centi)"
    )
    yield from _rows(work, query, order=order)


def a_hold_ends_once(work: Work, order: str) -> Iterator[object]:
    """5: one transfer an instruction, ended exactly when the instruction is."""
    query = (
        "SELECT i.id, i.state, t.state FROM custody_instructions i LEFT JOIN ledger_transfers t"
        " ON t.instruction_id = i.id WHERE i.order_id = :order AND (t.id IS NULL"
        " OR (i.state IN ('issued', 'accepted')) AND t.state <> 'pending' OR i.state = 'executed' AND t.state <> 'posted'"
        " OR i.state = 'failed' AND t.state = 'posted')"
    )
    yield from _rows(work, query, order=order)


def a_reversal_has_one_entry(work: Work, _: str) -> Iterator[object]:
    """6: and an entry at most one reversal."""
    yield from _rows(work, "SELECT r.id FROM ledger_transfers r LEFT JOIN ledger_transfers t ON t.id = r.reverses"
                           " WHERE r.reverses IS NOT NULL AND (t.id IS NULL OR t.amount_fen <> r.amount_fen)")  # fmt: skip
    yield from _rows(work, "SELECT reverses FROM ledger_transfers WHERE reverses IS NOT NULL GROUP BY reverses"
                           " HAVING count(*) > 1")  # fmt: skip


def a_key_has_one_result(work: Work, _: str) -> Iterator[object]:
    """7: and one meaning: no key stands for two documents of a party's own reference."""
    yield from _rows(work, "SELECT key FROM idempotency_keys GROUP BY party_id, operation_id, key HAVING count(*) > 1")
    yield from _rows(work, "SELECT external_id FROM refunds GROUP BY party_id, external_id HAVING count(*) > 1")


def every_change_has_its_event(work: Work, order: str) -> Iterator[object]:
    """8: an order's versions are its events, none more and none less; so are its instructions'."""
    of = "SELECT r.id FROM {} r WHERE r.{} = :order AND (SELECT count(*) FROM events e WHERE e.subject = r.id) <> r.version"
    for table, column in (("orders", "id"), ("custody_instructions", "order_id"), ("refunds", "order_id")):
        yield from _rows(work, of.format(table, column), order=order)


def numbers_have_no_gaps(work: Work, _: str) -> Iterator[object]:
    """9: on SQLite, where one writer writes after another."""
    if work.connection.dialect.name == "sqlite":
        for table in ("events", "ledger_transfers", "audit"):
            ((count, newest),) = _rows(work, f"SELECT count(*), coalesce(max(seq), 0) FROM {table}")
            if count != newest:
                yield table, count, newest


def refunds_go_back_as_they_came(work: Work, order: str) -> Iterator[object]:
    """10: through the part that paid, at most what it paid."""
    yield from _rows(work, "SELECT id FROM ledger_transfers WHERE order_id = :order AND kind = 'refund'"
                           " AND (payment_id IS NULL OR part_no IS NULL)", order=order)  # fmt: skip
    query = (
        f"SELECT payment_id, part_no {PARTS} AND state <> 'voided' GROUP BY payment_id, part_no"
        " HAVING SUM(CASE WHEN kind = 'refund' THEN amount_fen ELSE 0 END)"
        " > SUM(CASE WHEN kind IN ('receipt', 'capture') THEN amount_fen ELSE 0 END)"
    )
    yield from _rows(work, query, order=order)


def what_is_disputed_is_not_released(work: Work, order: str) -> Iterator[object]:
    """11: a disputed hour is no confirmed one, and an order counts each hour of its records once."""
    query = (
        "SELECT o.id FROM orders o WHERE o.id = :order AND (o.confirmed_centi <> (SELECT coalesce(SUM(class_hours_centi), 0)"
        " FROM consumption_records r WHERE r.order_id = o.id AND r.state = 'confirmed' AND r.type <> 'reversal')"
        " OR o.reported_centi <> (SELECT coalesce(SUM(class_hours_centi), 0) FROM consumption_records r"
        " WHERE r.order_id = o.id AND r.state <> 'void' AND r.type <> 'reversal'))"
    )
    yield from _rows(work, query, order=order)


def nobody_moves_money_unnamed(work: Work, order: str) -> Iterator[object]:
    """13: each instruction stands in the audit trail."""
    query = (
        "SELECT i.id FROM custody_instructions i WHERE i.order_id = :order AND NOT EXISTS"
        " (SELECT 1 FROM audit a WHERE a.subject = i.id AND a.outcome = 'done')"
    )
    yield from _rows(work, query, order=order)


def replayed_from_nothing_it_is_the_same(work: Work, _: str) -> Iterator[object]:
    """14: every balance is the sum of its transfers, and whatever else the ledger finds in itself."""
    yield from verify(work)


AT_EVERY_STEP: tuple[Look, ...] = (
    legs_sum_to_zero, custody_of_an_order_is_what_came_less_what_went, bank_accounts_hold_what_orders_have,
    released_is_at_most_earned, a_hold_ends_once, a_reversal_has_one_entry, every_change_has_its_event,
    refunds_go_back_as_they_came, what_is_disputed_is_not_released, nobody_moves_money_unnamed,
)  # fmt: skip
AT_THE_END: tuple[Look, ...] = (a_key_has_one_result, numbers_have_no_gaps, replayed_from_nothing_it_is_the_same)


def hold(world: World, order: str, looks: tuple[Look, ...] = AT_EVERY_STEP) -> None:
    """All of these hold."""
    with world.platform.storage.reading() as work:
        for look in looks:
            for found in look(work, order):
                raise AssertionError(f"{look.__name__}: {found}")


def every_row_is_proven(world: World) -> None:
    """12: a leaf is the hash of its row, and the log of signed heads only grows."""
    storage, keyring, now = world.platform.storage, world.platform.keyring, security_instant()
    sequencer.run(storage, now, patience_s=0)
    heads.run(storage, keyring, now)
    with storage.engine.connect().execution_options(reading=True) as connection:
        assert log.verify(connection, keyring).flaws == []
