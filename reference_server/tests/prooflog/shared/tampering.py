"""Fourteen ways to tamper, as somebody would who owns the database and can compute every hash.

Each takes the open connection and a source of chance, does its work, and returns the entry that is bad first.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import rfc8785
from life import Logged
from offcampus_server.prooflog import heads, leaves, proofs, tree
from offcampus_server.prooflog.sources import SOURCES
from sqlalchemy import Connection, text

Tampering = Callable[[Connection, random.Random, Logged], int]


def run(connection: Connection, statement: str, **values: Any) -> list[Any]:
    found = connection.execute(text(statement), values)
    return list(found.mappings()) if found.returns_rows else []


def entry_of(connection: Connection, chance: random.Random, logged: Logged, *facts: str) -> Any:
    """An entry below the checkpoint that tells one of these facts."""
    rows = run(connection, "SELECT * FROM log_entries WHERE seq < :size ORDER BY seq", size=logged.checkpoint.size)
    return chance.choice([row for row in rows if f"{row['source']}.{row['fact']}" in facts])


def _transfer(connection: Connection, chance: random.Random, logged: Logged) -> Any:
    return entry_of(connection, chance, logged, "transfer.created")


def _audit(connection: Connection, chance: random.Random, logged: Logged) -> Any:
    return entry_of(connection, chance, logged, "audit.written")


def amount(connection: Connection, chance: random.Random, logged: Logged) -> int:
    entry = _transfer(connection, chance, logged)
    step = chance.choice([1, 100, 1_000_000])
    run(
        connection, "UPDATE ledger_transfers SET amount_fen = amount_fen + :n WHERE seq = :s", n=step, s=entry["row_no"]
    )
    return int(entry["seq"])


def sign(connection: Connection, chance: random.Random, logged: Logged) -> int:
    entry = _transfer(connection, chance, logged)
    swap = "UPDATE ledger_transfers SET debit_account_id = credit_account_id, credit_account_id = debit_account_id"
    run(connection, f"{swap} WHERE seq = :s", s=entry["row_no"])
    return int(entry["seq"])


def account(connection: Connection, chance: random.Random, logged: Logged) -> int:
    entry = _transfer(connection, chance, logged)
    run(
        connection,
        "INSERT INTO ledger_accounts (id, kind, owner_id, institution_id, debits_pending, debits_posted,"
        " credits_pending, credits_posted) SELECT 'escrow:thief', 'escrow', 'thief', institution_id, 0, 0, 0, 0"
        " FROM ledger_accounts LIMIT 1 ON CONFLICT DO NOTHING",
    )
    side = chance.choice(["debit", "credit"])
    run(connection, f"UPDATE ledger_transfers SET {side}_account_id = 'escrow:thief' WHERE seq = :s", s=entry["row_no"])
    return int(entry["seq"])


def time(connection: Connection, chance: random.Random, logged: Logged) -> int:
    which = chance.choice(["transfer.created", "transfer.resolved", "audit.written"])
    entry = entry_of(connection, chance, logged, which)
    table, column = {
        "transfer.created": ("ledger_transfers", "created_at"), "audit.written": ("audit", "at"),
        "transfer.resolved": ("ledger_transfers", "resolved_at"),
    }[which]  # fmt: skip
    if connection.dialect.name == "sqlite":
        later = f"substr({column}, 1, 11) || '00:00:00.000001+00:00'"
    else:
        later = f"{column} + interval '1 microsecond'"
    run(connection, f"UPDATE {table} SET {column} = {later} WHERE seq = :s", s=entry["row_no"])
    return int(entry["seq"])


def actor(connection: Connection, chance: random.Random, logged: Logged) -> int:
    entry = _audit(connection, chance, logged)
    party = chance.choice(["pty_somebody_else", None])
    [row] = run(connection, "SELECT party_id FROM audit WHERE seq = :s", s=entry["row_no"])
    if row["party_id"] is None:
        party = "pty_somebody_else"
    run(connection, "UPDATE audit SET party_id = :p WHERE seq = :s", p=party, s=entry["row_no"])
    return int(entry["seq"])


def swap(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """Two lines of the audit trail exchange what they say; their numbers stay."""
    one, other = _audit(connection, chance, logged), _audit(connection, chance, logged)
    rows = {
        entry["row_no"]: run(connection, "SELECT * FROM audit WHERE seq = :s", s=entry["row_no"])[0]
        for entry in (one, other)
    }
    if len(rows) == 1 or len({row["request_id"] + row["action"] + row["subject"] for row in rows.values()}) == 1:
        return swap(connection, chance, logged)
    for mine, its in ((one, other), (other, one)):
        names = ("action", "subject", "request_id")
        values = {name: rows[its["row_no"]][name] for name in names}
        said = ", ".join(f"{name} = :{name}" for name in names)
        run(connection, f"UPDATE audit SET {said} WHERE seq = :s", **values, s=mine["row_no"])
    return int(min(one["seq"], other["seq"]))


def delete(connection: Connection, chance: random.Random, logged: Logged) -> int:
    entry = entry_of(connection, chance, logged, "transfer.created", "audit.written")
    table = SOURCES[entry["source"]].table
    run(connection, f"DELETE FROM {table} WHERE seq = :s", s=entry["row_no"])
    return int(entry["seq"])


def insert(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """A line that pretends to be as old as the one that it is put before; all later ones are numbered anew."""
    entry = _audit(connection, chance, logged)
    number = entry["row_no"]
    run(connection, "UPDATE audit SET seq = -seq WHERE seq >= :n", n=number)
    run(connection, "UPDATE audit SET seq = 1 - seq WHERE seq < 0")
    columns = "at, party_id, action, institution_id, outcome, request_id, count"
    run(
        connection,
        f"INSERT INTO audit (seq, subject, {columns}) SELECT :n, 'ord_invented', {columns} FROM audit WHERE seq = :m",
        n=number, m=number + 1,
    )  # fmt: skip
    return int(entry["seq"])


def duplicate(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """A transfer stands twice, the copy under a number that no writer gives."""
    entry = _transfer(connection, chance, logged)
    columns = (
        "kind, state, debit_account_id, credit_account_id, amount_fen, order_id, created_at, resolved_at, value_on"
    )
    run(
        connection,
        f"INSERT INTO ledger_transfers (seq, id, {columns}) SELECT :n, 'trf_copy', {columns} FROM ledger_transfers"
        " WHERE seq = :m",
        n=-chance.randrange(3), m=entry["row_no"],
    )  # fmt: skip
    [first] = run(connection, "SELECT min(seq) AS seq FROM log_entries WHERE source = 'transfer' AND fact = 'created'")
    return int(first["seq"])


def reorder(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """Two entries change places in the log."""
    one = chance.randrange(logged.checkpoint.size)
    other = (one + 1 + chance.randrange(logged.checkpoint.size - 1)) % logged.checkpoint.size
    for seq, place in ((one, 10**9), (other, one), (10**9, other)):
        run(connection, "UPDATE log_entries SET seq = :p WHERE seq = :s", s=seq, p=place)
    return min(one, other)


def rehash_row(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """An amount is edited and the hash of this one leaf worked out anew."""
    seq = amount(connection, chance, logged)
    entry, told = _told(connection, seq)
    leaf = leaves.hashed(proofs.leaf_of(entry, told)).hex()
    run(connection, "UPDATE log_entries SET leaf_hash = :h WHERE seq = :s", h=leaf, s=seq)
    return seq


def rehash_chain(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """An amount is edited; every leaf that points at it and every node of the tree are worked out anew."""
    seq = amount(connection, chance, logged)
    work_out_anew(connection, seq)
    return seq


def truncate(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """The newest entries, their heads and the count of entries are gone, as if they had never been."""
    size = chance.randrange(1, logged.checkpoint.size)
    run(connection, "DELETE FROM log_entries WHERE seq >= :n", n=size)
    run(connection, "DELETE FROM log_heads WHERE size > :n", n=size)
    run(connection, "UPDATE log_marks SET value = :n WHERE name = 'size'", n=size)
    return size


def fork(connection: Connection, chance: random.Random, logged: Logged) -> int:
    """Another history, and every head signed anew with the platform's own key."""
    seq = rehash_chain(connection, chance, logged)
    sign_anew(connection, logged)
    return seq


KINDS: dict[str, Tampering] = {
    "amount": amount, "sign": sign, "account": account, "time": time, "actor": actor, "swap": swap, "delete": delete,
    "insert": insert, "duplicate": duplicate, "reorder": reorder, "rehash_row": rehash_row,
    "rehash_chain": rehash_chain, "truncate": truncate, "fork": fork,
}  # fmt: skip
INVISIBLE_ALONE = ("truncate", "fork")
"""What nobody can know without something from outside."""
TOGETHER = ("amount", "sign", "account", "time", "actor", "swap", "delete", "duplicate", "rehash_row")
"""What can be done twice in one database without the one moving the other."""


def work_out_anew(connection: Connection, seq: int) -> None:
    """Every leaf from an entry on, the chain of its order, and every node."""
    rows = run(connection, "SELECT * FROM log_entries ORDER BY seq")
    known: dict[tuple[int, int], bytes] = {}
    newest: dict[str, str] = {}
    for row in rows:
        changed = dict(row)
        if row["subject"] is not None:
            changed["subject_previous"] = newest.get(row["subject"])
        leaf = bytes.fromhex(row["leaf_hash"])
        if row["seq"] >= seq:
            told = SOURCES[row["source"]].told(connection, [row["row_no"]])[row["row_no"], row["fact"]]
            leaf = leaves.hashed(proofs.leaf_of(changed, told))
        if row["subject"] is not None:
            newest[row["subject"]] = leaf.hex()
        above = tree.completed(row["seq"], leaf, known.__getitem__)
        known |= {(level, row["seq"] >> level): found for level, found in enumerate([leaf, *above])}
        run(
            connection,
            "UPDATE log_entries SET leaf_hash = :h, nodes = :n, subject_previous = :p WHERE seq = :s",
            h=leaf.hex(), n=b"".join(above).hex(), p=changed["subject_previous"], s=row["seq"],
        )  # fmt: skip


def sign_anew(connection: Connection, logged: Logged) -> None:
    """Every head over the tree as it now is."""
    from base64 import urlsafe_b64encode

    from offcampus_server.prooflog import nodes
    from offcampus_server.prooflog.tables import heads as table
    from sqlalchemy import select

    for row in connection.execute(select(table)).mappings().all():
        top = nodes.computed(connection, lambda lookup, size=row["size"]: tree.root(size, lookup)).hex()  # type: ignore[misc]
        statement = heads.statement({**row, "root_hash": top})
        key: Any = logged.keyring.current.private_key
        signature = urlsafe_b64encode(key.sign(rfc8785.dumps(statement))).decode().rstrip("=")
        change = "UPDATE log_heads SET root_hash = :r, signature = :g WHERE size = :s"
        run(connection, change, r=top, g=signature, s=row["size"])


def _told(connection: Connection, seq: int) -> tuple[Any, Any]:
    [row] = run(connection, "SELECT * FROM log_entries WHERE seq = :s", s=seq)
    return row, SOURCES[row["source"]].told(connection, [row["row_no"]])[row["row_no"], row["fact"]]
