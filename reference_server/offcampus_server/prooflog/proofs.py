"""Proofs that are handed out: always under a signed head, never under a tree that only we have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from offcampus_server.kernel.facts import Fact
from offcampus_server.ledger import facts as transfers
from offcampus_server.prooflog import heads, leaves, nodes, tree
from offcampus_server.prooflog.leaves import Chain
from offcampus_server.prooflog.sources import SOURCES
from offcampus_server.prooflog.tables import entries


def consistency(connection: Connection, first: int, second: int) -> dict[str, Any]:
    """That the tree of `second` begins with that of `first` (schema `log-consistency`). Raises ValueError."""
    path = nodes.computed(connection, lambda lookup: tree.consistency_path(first, second, lookup))
    return {"first": first, "second": second, "hash_id": tree.HASH_ID, "path": [one.hex() for one in path]}


def leaf_hashes(connection: Connection, start: int, end: int) -> list[str]:
    """The leaf hashes [start, end)."""
    span = (entries.c.seq >= start) & (entries.c.seq < end)
    return list(connection.execute(select(entries.c.leaf_hash).where(span).order_by(entries.c.seq)).scalars())


def of_order(connection: Connection, order_id: str, after: int, limit: int) -> dict[str, Any]:
    """The facts of an order with their proofs (schema `log-proofs`), from the one numbered after `after`."""
    head = heads.newest(connection)
    mine = (entries.c.subject == order_id) & (entries.c.seq < (head["size"] if head else 0))
    query = select(entries).where(mine, entries.c.subject_no > after).order_by(entries.c.subject_no)
    found = connection.execute(query.limit(limit + 1)).mappings().all()
    proven = connection.execute(select(entries.c.row_no, entries.c.fact).where(mine))
    waiting = transfers.of_order(connection, order_id).keys() - {(row.row_no, row.fact) for row in proven}
    return _document(connection, order_id, head, found[:limit], sorted(waiting), len(found) > limit)


def of_transfer(connection: Connection, subject: str, row_no: int | None) -> dict[str, Any]:
    """What one transfer tells, with its proofs; `subject` is on whose behalf, for one an instruction."""
    head = heads.newest(connection)
    mine = (entries.c.source == "transfer") & (entries.c.row_no == row_no)
    query = select(entries).where(mine, entries.c.seq < (head["size"] if head else 0)).order_by(entries.c.seq)
    found = connection.execute(query).mappings().all()
    told = transfers.told(connection, [] if row_no is None else [row_no])
    waiting = told.keys() - {(row["row_no"], row["fact"]) for row in found}
    return _document(connection, subject, head, found, sorted(waiting), more=False)


def one(connection: Connection, source: str, row_no: int) -> list[dict[str, Any]]:
    """Every proven fact of one row of a source, for an auditor on the spot (schema `log-inclusion`)."""
    head = heads.newest(connection)
    mine = (entries.c.source == source) & (entries.c.row_no == row_no)
    query = select(entries).where(mine, entries.c.seq < (head["size"] if head else 0)).order_by(entries.c.seq)
    found = connection.execute(query).mappings().all()
    return _inclusions(connection, head["size"], found) if head else []


def leaf_of(row: Mapping[Any, Any], fact: Fact) -> dict[str, Any]:
    """The leaf that an entry stands for, made anew from what its row tells today."""
    subject = row["subject"]
    chain = None if subject is None else Chain(subject, row["subject_no"], row["subject_previous"])
    return leaves.leaf(fact, row["commitment"], chain)


def _document(
    connection: Connection, subject: str, head: RowMapping | None, found: Sequence[RowMapping],
    waiting: Sequence[tuple[int, str]], more: bool,
) -> dict[str, Any]:  # fmt: skip
    ids = transfers.ids(connection, sorted({row_no for row_no, _ in waiting}))
    return {
        "subject": subject,
        "head": heads.to_json(head) if head else None,
        "entries": _inclusions(connection, head["size"], found) if head else [],
        "waiting": [{"transfer_id": ids[row_no], "type": f"transfer.{name}"} for row_no, name in waiting],
        "more": more,
    }


def _inclusions(connection: Connection, size: int, found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    told: dict[tuple[str, int, str], Fact] = {}
    for name in {row["source"] for row in found}:
        numbers = [row["row_no"] for row in found if row["source"] == name]
        told |= {(name, *key): fact for key, fact in SOURCES[name].told(connection, numbers).items()}
    paths = nodes.computed(connection, lambda lookup: [tree.inclusion_path(row["seq"], size, lookup) for row in found])
    return [
        {
            "index": row["seq"],
            "leaf": leaf_of(row, told[row["source"], row["row_no"], row["fact"]]),
            "path": [one.hex() for one in path],
        }
        for row, path in zip(found, paths, strict=True)
    ]
