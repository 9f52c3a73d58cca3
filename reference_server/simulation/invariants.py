"""What must be true after every step, told from raw rows: quick checks of what a step touched, all of it now and then.

`Watch.after_step` looks at the orders and refunds that the step's events name; `Watch.everything` at the whole database
through the server's own verification and through what the bank, the parties and the event feed remember.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from offcampus_server.funds.verification import verify
from offcampus_server.kernel.clock import security_instant
from offcampus_server.prooflog import heads, sequencer
from offcampus_server.prooflog import verification as log

from simulation import model
from simulation.steps import plain
from simulation.world import Broken, World

Event = tuple[int, str, int, str]
FROZEN, UNFROZEN = "cn.offcampus.custody_account.frozen.v1", "cn.offcampus.custody_account.unfrozen.v1"
ISSUED = "cn.offcampus.custody_instruction.issued.v1"
VERSIONED = (
    "orders", "payments", "refunds", "consumption_records", "custody_instructions", "custody_accounts",
    "custody_movements", "statements",
)  # fmt: skip
ORDERS = """
SELECT o.id, o.state, o.total_fen, o.class_hours_centi, o.gift_hours_centi, o.gift_hours_policy, o.reported_centi,
  o.confirmed_centi, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted,
  (SELECT count(*) FROM releases_waiting w WHERE w.order_id = o.id),
  (SELECT coalesce(CAST(SUM(i.amount_fen) AS BIGINT), 0) FROM custody_instructions i WHERE i.order_id = o.id
   AND i.kind = 'refund' AND i.state = 'failed' AND i.certain_by IS NOT NULL AND NOT EXISTS
   (SELECT 1 FROM custody_instructions n WHERE n.retries = i.id)),
  o.document, o.release_plan,
  (SELECT count(*) FROM payment_parts q JOIN payments p ON p.id = q.payment_id WHERE p.order_id = o.id
   AND q.captured_at IS NOT NULL AND q.settled_at IS NULL),
  (SELECT coalesce(CAST(SUM(r.amount_fen - (SELECT coalesce(SUM(i.amount_fen), 0) FROM custody_instructions i
   WHERE i.refund_id = r.id AND NOT EXISTS (SELECT 1 FROM custody_instructions n WHERE n.retries = i.id)))
   AS BIGINT), 0)
   FROM refunds r WHERE r.order_id = o.id AND r.state IN ('paying', 'failed'))
FROM orders o JOIN ledger_accounts a ON a.id = 'escrow:' || o.id WHERE o.id IN ({})
"""
TRANSFERS = """
SELECT order_id, kind, state, debit_account_id = 'escrow:' || order_id, credit_account_id = 'escrow:' || order_id,
  CAST(SUM(amount_fen) AS BIGINT) FROM ledger_transfers WHERE order_id IN ({}) GROUP BY 1, 2, 3, 4, 5
"""
RECORDS = """
SELECT order_id, state, CAST(SUM(class_hours_centi) AS BIGINT) FROM consumption_records
WHERE type <> 'reversal' AND order_id IN ({}) GROUP BY 1, 2
"""
IN_DOUBT = """
SELECT count(*) FROM custody_instructions i JOIN custody_movements m ON m.instruction_id = i.id
WHERE i.order_id = ? AND i.state = 'failed' AND m.direction = 'debit'
"""


INSTRUCTED = """
SELECT coalesce(CAST(SUM(amount_fen) AS BIGINT), 0) FROM custody_instructions i
WHERE refund_id = ? AND NOT EXISTS (SELECT 1 FROM custody_instructions n WHERE n.retries = i.id)
"""
OWED = """
SELECT coalesce(CAST(SUM(CASE WHEN kind = 'claim' THEN amount_fen ELSE -amount_fen END) AS BIGINT), 0)
FROM ledger_transfers WHERE kind IN ('claim', 'claim_paid') AND order_id = ?
"""


class Watch:
    """Watches one world; raises Broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seq = int(world.oracle.one("SELECT coalesce(max(seq), 0) FROM events"))
        self.first = self.seq
        self.versions: dict[str, int] = {}
        for subject, version in world.oracle.rows("SELECT subject, max(sequence) FROM events GROUP BY subject"):
            self.versions[subject] = version
        self.checks = 0
        self.latest = world.now.date()

    def after_step(self) -> None:
        """What the step touched."""
        self.latest = max(self.latest, self.world.now.date())
        if not self.world.acted:
            return
        self.world.acted = False
        found: list[Event] = self.world.oracle.rows(
            "SELECT seq, subject, sequence, type FROM events WHERE seq > ? ORDER BY seq", self.seq
        )
        if self.world.crashed:
            self._nothing_lost(found)
        self.world.crashed = False
        touched: dict[str, list[str]] = defaultdict(list)
        for seq, subject, version, kind in found:
            if version != self.versions.get(subject, 0) + 1 and not self.world.meanwhile:
                raise Broken("one event per version", f"{subject} {kind}: {version} after {self.versions.get(subject)}")
            self.versions[subject] = max(version, self.versions.get(subject, 0))
            self.seq = max(self.seq, seq)
            resource, verb = kind.split(".")[2:4]
            if subject not in touched[resource]:
                touched[resource].append(subject)
            touched[f"{resource}.{verb}"].append(subject)
        self.orders(touched["order"])
        self.refunds(touched["refund.agreed"])
        self.workings(touched["refund"])
        if not self.world.meanwhile:
            self.frozen(touched["custody_instruction.issued"])
        self.world.meanwhile = False
        if (overpaid := self.world.bank.overpaid()) is not None:
            raise Broken("no bank pays out more than came in", overpaid)

    def everything(self) -> None:
        """The whole database."""
        self.checks += 1
        with self.world.house.storage.reading() as work:
            for finding in verify(work):
                detail = f"{finding.subject}: expected {finding.expected}, got {finding.got}"
                raise Broken(f"verify: {finding.invariant}", detail)
        self.orders([row[0] for row in self.world.oracle.rows("SELECT id FROM orders ORDER BY id")])
        self._versions()
        self._acknowledged()
        self._lines()
        self._holds()
        self._unrefused()
        if self.world.house.disk.name == "sqlite":
            self._no_gaps()

    def the_log(self) -> None:
        """The provable log takes everything in, signs it, and finds no flaw."""
        storage, now = self.world.house.storage, security_instant()
        sequencer.run(storage, now, patience_s=0)
        heads.run(storage, self.world.house.keyring, now)
        with self.world.house.engine.connect().execution_options(reading=True) as connection:
            report = log.verify(connection, self.world.house.keyring)
        if report.flaws:
            raise Broken("the log proves every row", str(report.flaws[0]))

    # --- orders ---

    def orders(self, ids: Sequence[str]) -> None:
        """Per order: hours are those of its records, money is that of its transfers, released follows consumption."""
        if not ids:
            return
        marks = ", ".join("?" * len(ids))
        sums: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        sides: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        for order_id, kind, state, debit, credit, fen in self.world.oracle.rows(TRANSFERS.format(marks), *ids):
            sums[order_id][kind, state] += fen
            sides[order_id]["debit" if debit else "credit" if credit else "neither", state] += fen
        hours: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for order_id, state, centi in self.world.oracle.rows(RECORDS.format(marks), *ids):
            hours[order_id][state] = centi
        for row in self.world.oracle.rows(ORDERS.format(marks), *ids):
            self._order(row, sums[row[0]], sides[row[0]], hours[row[0]])

    def _order(self, row: Any, sums: Any, sides: Any, hours: Any) -> None:
        id, state, total, _, _, policy, reported, confirmed = row[:8]
        stored = dict(zip((("debit", "pending"), ("debit", "posted"), ("credit", "pending"), ("credit", "posted")),
                          row[8:12], strict=True))  # fmt: skip
        for side, fen in stored.items():
            if sides[side] != fen:
                raise Broken("a balance is the sum of its transfers", f"{id} {side}: {fen}, replayed {sides[side]}")
        told = (sum(hours[name] for name in ("reported", "confirmed", "disputed")), hours["confirmed"])
        if told != (reported, confirmed):
            raise Broken("hours are those of the records", f"{id}: {(reported, confirmed)}, records {told}")
        escrow = stored["credit", "posted"] - stored["debit", "posted"] - stored["debit", "pending"]
        if escrow < 0:
            raise Broken("custody of an order is never below zero", f"{id}: {escrow}")
        owing = sums["claim", "posted"] - sums["claim_paid", "posted"]
        escrow -= owing  # what is only owed is nobody's to give
        gone = sums["release", "posted"] + sums["release", "pending"] + sums["fee_netted", "posted"]
        plan, earned = plain(row[15]), model.earned_fen(plain(row[14]), policy, confirmed)
        if gone > (most := model.ceiling(plan, total, earned, self.latest)):
            raise Broken("released follows consumption", f"{id}: {gone}, {earned} earned, at most {most}")
        # What a bank failed to refund keeps its room until it is paid again, and so does what is agreed and in transit.
        owed = row[13] + max(row[17] - owing, 0)
        follows = plan["mode"] in model.BY_LESSON
        if follows and gone < earned and escrow > owed and not row[12] and state != "closed" and not self.doubted(id):
            raise Broken("what is earned is asked for", f"{id}: {gone} of {earned} earned, {escrow} free, none waits")
        if escrow < owed:
            raise Broken("what a family is promised keeps its money", f"{id}: {escrow} free, {owed} owed back")
        if state == "closed" and (escrow or sums["release", "pending"] or sums["refund", "pending"]):
            raise Broken("a closed order has no money", f"{id}: {escrow} free, {dict(sums)}")
        if state == "paid" and stored["credit", "posted"] != total:
            raise Broken("paid is the whole price", f"{id}: {stored['credit', 'posted']} of {total}")
        if state == "cancelled" and stored["credit", "posted"]:
            raise Broken("a cancelled order never had money", f"{id}: {stored['credit', 'posted']}")

    def doubted(self, order_id: str) -> bool:
        """Has the bank said of one of its instructions that it failed, and that it did not?"""
        return bool(self.world.oracle.one(IN_DOUBT, order_id))

    # --- refunds ---

    def refunds(self, ids: Sequence[str]) -> None:
        """At agreement: all that is not earned by what was reported, or all that is left, whichever the rules gave."""
        for id in ids:
            order_id, amount = self.world.oracle.rows("SELECT order_id, amount_fen FROM refunds WHERE id = ?", id)[0]
            (row,) = self.world.oracle.rows(ORDERS.format("?"), order_id)
            policy, reported = row[5:7]
            sums: dict[tuple[str, str], int] = defaultdict(int)
            for _, kind, state, _, _, fen in self.world.oracle.rows(TRANSFERS.format("?"), order_id):
                sums[kind, state] += fen
            held = self.world.oracle.one(INSTRUCTED, id)  # the agreement's own holds; what is owed by others waits
            before = sums["refund", "posted"] + sums["refund", "pending"] - held
            left = row[11] - sums["claim", "posted"] - before
            unearned = left - model.earned_fen(plain(row[14]), policy, reported)
            if amount not in (max(unearned, 0), left):
                raise Broken("a refund is what is not consumed", f"{id}: {amount}; unearned {unearned}, left {left}")

    def workings(self, ids: Sequence[str]) -> None:
        """The lines of a refund's working add up to its sum; its parts too, each once."""
        for id in ids:
            query = "SELECT state, amount_fen, working, order_id FROM refunds WHERE id = ?"
            state, amount, working, order_id = self.world.oracle.rows(query, id)[0]
            shown = sum(line["amount_fen"] for line in plain(working) if line["line"] != "refund")
            if shown != amount:
                raise Broken("the working adds up", f"{id}: {amount}, lines {shown}")
            if state in ("paying", "paid", "failed"):
                in_transit = self.world.oracle.rows(ORDERS.format("?"), order_id)[0][16]
                instructed = self.world.oracle.one(INSTRUCTED, id)
                short = amount - instructed - self.world.oracle.one(OWED, order_id)
                if short < 0 or (short > self.fees_owed() and not in_transit):
                    detail = f"{id}: {amount}, instructed {instructed}"
                    raise Broken("a refund's instructions are its sum", detail)

    def fees_owed(self) -> int:
        """What channels kept and the institution has not made up for: so much the bank accounts of its orders lack."""
        query = (
            "SELECT coalesce(CAST(SUM(debits_posted - credits_posted) AS BIGINT), 0) FROM ledger_accounts"
            " WHERE kind = 'fee'"
        )
        return int(self.world.oracle.one(query))

    def instructed(self, refund_id: str) -> int:
        """What banks are or were asked to pay back for a refund, each failure counted once."""
        query = (
            "SELECT coalesce(CAST(SUM(amount_fen) AS BIGINT), 0) FROM custody_instructions i"
            " WHERE refund_id = ? AND NOT EXISTS (SELECT 1 FROM custody_instructions n WHERE n.retries = i.id)"
        )
        return int(self.world.oracle.one(query, refund_id))

    def frozen(self, ids: Sequence[str]) -> None:
        """A freeze stops releases, never refunds: by the order in which things were told."""
        last = (
            "SELECT i.account_id, (SELECT e.type FROM events e WHERE e.subject = i.account_id AND e.seq < told.seq"
            f" AND e.type IN ('{FROZEN}', '{UNFROZEN}') ORDER BY e.seq DESC LIMIT 1)"
            f" FROM custody_instructions i JOIN events told ON told.subject = i.id AND told.type = '{ISSUED}'"
            " WHERE i.id = ? AND i.kind = 'release' AND i.retries IS NULL"  # officers book what a bank did: not asked
        )
        for id in ids:
            for account, state in self.world.oracle.rows(last, id):
                if state == FROZEN:
                    raise Broken("frozen is frozen", f"{id} releases from {account}")

    # --- the whole ---

    def _versions(self) -> None:
        for table in VERSIONED:
            for id, version in self.world.oracle.rows(f"SELECT id, version FROM {table}"):
                if self.versions.get(id, 0) != version:
                    raise Broken(
                        "every change has its event", f"{id}: version {version}, events {self.versions.get(id)}"
                    )
        count = self.world.oracle.one("SELECT count(*) FROM events WHERE seq > ?", self.first)
        audited = self.world.oracle.one(
            "SELECT count(*) FROM custody_instructions i WHERE NOT EXISTS"
            " (SELECT 1 FROM audit a WHERE a.subject = i.id AND a.outcome = 'done')"
        )
        if audited:
            raise Broken("no money moves without an actor and a reason", f"{audited} instructions of {count} events")

    def _acknowledged(self) -> None:
        keys = {row[0]: row[1:] for row in self.world.oracle.rows("SELECT key, status, body FROM idempotency_keys")}
        for request, answer in self.world.known:
            status, body = keys.get(request.key, (None, None))
            if status != answer.status or (orjson.loads(body) if body else None) != answer.body:
                raise Broken("what was acknowledged is kept", f"{request.operation} {request.key}")

    def _lines(self) -> None:
        held = {
            row[0]: row[1:]
            for row in self.world.oracle.rows(
                "SELECT external_id, account_id, direction, amount_fen FROM custody_movements"
            )
        }
        for external_id, (account, direction, amount) in held.items():
            signed = amount if direction == "credit" else -amount
            if self.world.bank.lines[external_id][:2] != (account, signed):
                raise Broken("a movement is the bank's line", external_id)
        for request, _ in self.world.known:
            if request.operation == "reportCustodyMovements":
                for line in request.body["items"]:
                    if line["external_id"] not in held:
                        raise Broken("what was acknowledged is kept", f"line {line['external_id']}")

    def _holds(self) -> None:
        query = (
            "SELECT m.id FROM custody_movements m WHERE m.state = 'matched' AND m.direction = 'credit' AND NOT EXISTS"
            " (SELECT 1 FROM ledger_transfers t WHERE t.movement_id = m.id AND t.amount_fen = m.amount_fen)"
        )
        for (id,) in self.world.oracle.rows(query):
            raise Broken("a matched receipt is booked", id)

    def _unrefused(self) -> None:
        if self.world.town.school.mode == "batch_above_unconsumed":
            return  # there they do: what the institution's other orders need stays
        query = "SELECT subject FROM decisions WHERE kind = 'release' AND outcome <> 'allow'"
        for (subject,) in self.world.oracle.rows(query):
            raise Broken("the rules never hold back what the server asks for", subject)

    def _no_gaps(self) -> None:
        for table in ("events", "ledger_transfers", "audit"):
            count, newest = self.world.oracle.rows(f"SELECT count(*), coalesce(max(seq), 0) FROM {table}")[0]
            if count != newest:
                raise Broken("numbers have no gaps", f"{table}: {count} rows up to {newest}")

    def _nothing_lost(self, found: list[Event]) -> None:
        newest = self.world.oracle.one("SELECT coalesce(max(seq), 0) FROM events")
        if newest < self.seq:
            raise Broken("what was committed survives", f"events up to {newest}, {self.seq} had been seen")


def books(world: World) -> Iterator[tuple[str, int, int]]:
    """Per bank account: its real balance, and what our books and the named differences make of it."""
    for account in world.town.accounts:
        held = world.oracle.one(
            "SELECT debits_posted - credits_posted FROM ledger_accounts WHERE id = ?", f"custody:{account}"
        )
        lines = (  # what was executed is in our books already, whatever else is wrong with its line
            "SELECT m.external_id FROM custody_movements m LEFT JOIN custody_instructions i ON i.id = m.instruction_id"
            " WHERE m.account_id = ? AND m.state = 'unmatched' AND coalesce(i.state, '') <> 'executed'"
        )
        named = 0
        for (external_id,) in world.oracle.rows(lines, account):
            _, signed, true = world.bank.lines[external_id]
            named += signed if true else 0
        yield account, world.bank.real[account], held + named
