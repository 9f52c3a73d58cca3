"""The sequencer: puts what was committed into the log, in order, each fact once, without gaps. Off the hot path.

- it reads the sources in a transaction of its own that takes no predicate locks, so that no posting ever waits for it
  or fails because of it;
- it appends in one transaction that first moves the log's size on from what was read: of two sequencers one does,
  the other finds the size moved and appends nothing, so the log cannot fork;
- killed anywhere, it has appended a whole round or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from offcampus_server.kernel.facts import Fact
from offcampus_server.kernel.unit_of_work import Storage, Work
from offcampus_server.prooflog import leaves, nodes, tree
from offcampus_server.prooflog.leaves import Chain
from offcampus_server.prooflog.sources import SOURCES, settled
from offcampus_server.prooflog.tables import entries, marks, salts, unresolved
from offcampus_server.prooflog.tree import Node

AT_A_TIME = 1000
PATIENCE_S = 2.0


@dataclass
class Round:
    """What one round appends, and from where it starts."""

    size: int
    marks: dict[str, int]
    rows: list[dict[str, Any]] = field(default_factory=list)
    salts: list[dict[str, Any]] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)


def run(storage: Storage, now: datetime, *, at_a_time: int = AT_A_TIME, patience_s: float = PATIENCE_S) -> int:
    """Append what is settled; returns how many facts. What another sequencer has appended meanwhile is its own.

    Args:
        now: real time, not the business clock's.
        patience_s: how long to wait for writers that were there first; behind a longer one the log waits a round.
    """
    total = 0
    while True:
        up_to = settled(storage.engine, patience_s)
        if up_to is None:
            return total
        with snapshot(storage.engine) as connection:
            prepared = _prepare(connection, up_to, at_a_time, now)
        if not prepared.rows or not storage.write(partial(_append, new=prepared)):
            return total
        total += len(prepared.rows)
        if len(prepared.rows) < at_a_time:
            return total  # what is written meanwhile is for the next round: heads and deadlines wait for this one


def size(connection: Connection) -> int:
    """How many entries the log has."""
    return _marks(connection).get("size", 0)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A look at one state of the database that no writer waits for or is turned back by, however long it takes."""
    options = {"reading": True} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _marks(connection: Connection) -> dict[str, int]:
    return {row.name: row.value for row in connection.execute(select(marks))}


def _prepare(connection: Connection, up_to: dict[str, int], at_a_time: int, now: datetime) -> Round:
    found = _marks(connection)
    new = Round(found.pop("size", 0), found)
    facts = _facts(connection, new, up_to, at_a_time)
    if facts:
        _build(connection, new, facts, now)
    return new


def _facts(connection: Connection, new: Round, up_to: dict[str, int], at_a_time: int) -> list[Fact]:
    waiting = list(connection.execute(select(unresolved.c.row_no).order_by(unresolved.c.row_no)).scalars())
    facts: list[Fact] = []
    for source in SOURCES.values():
        created = source.new(connection, new.marks.get(source.name, 0), up_to[source.name], at_a_time)
        facts += created
        if created:
            new.marks[source.name] = created[-1].row_no
        if source.ends is not None:
            new.begun = [fact.row_no for fact in created]
            ends = source.ends(connection, [*waiting, *new.begun])
            new.ended = [fact.row_no for fact in ends]
            facts += ends
    return facts


def _build(connection: Connection, new: Round, facts: list[Fact], now: datetime) -> None:
    known = dict(nodes.read(connection, tree.needed(lambda lookup: tree.root(new.size, lookup))))
    chains = _chains(connection, {fact.subject for fact in facts if fact.subject is not None})
    for seq, fact in enumerate(facts, new.size):
        commitment = None
        if fact.personal is not None:
            salt = leaves.fresh_salt()
            new.salts.append({"seq": seq, "salt": salt})
            commitment = leaves.commit(salt, fact.personal)
        chain = None
        if fact.subject is not None:
            no, previous = chains.get(fact.subject, (0, None))
            chain = Chain(fact.subject, no + 1, previous)
        leaf = leaves.hashed(leaves.leaf(fact, commitment, chain))
        if chain is not None:
            chains[chain.subject] = (chain.no, leaf.hex())
        above = tree.completed(seq, leaf, known.__getitem__)
        known |= _named(seq, [leaf, *above])
        new.rows.append(_row(seq, fact, commitment, chain, leaf, above, now))


def _named(seq: int, hashes: list[bytes]) -> dict[Node, bytes]:
    return {(level, seq >> level): found for level, found in enumerate(hashes)}


def _row(
    seq: int, fact: Fact, commitment: str | None, chain: Chain | None, leaf: bytes, above: list[bytes], now: datetime
) -> dict[str, Any]:
    return {
        "seq": seq, "source": fact.source, "row_no": fact.row_no, "fact": fact.name,
        "subject": chain.subject if chain else None, "subject_no": chain.no if chain else None,
        "subject_previous": chain.previous if chain else None, "commitment": commitment,
        "hash_id": tree.HASH_ID, "leaf_hash": leaf.hex(), "nodes": b"".join(above).hex(), "at": now,
    }  # fmt: skip


def _chains(connection: Connection, subjects: set[str]) -> dict[str, tuple[int, str | None]]:
    """Number and leaf hash of the newest fact of each subject."""
    found: dict[str, tuple[int, str | None]] = {}
    wanted = sorted(subjects)
    for start in range(0, len(wanted), nodes.AT_ONCE):
        some = entries.c.subject.in_(wanted[start : start + nodes.AT_ONCE])
        last = select(func.max(entries.c.seq)).where(some).group_by(entries.c.subject)
        query = select(entries.c.subject, entries.c.subject_no, entries.c.leaf_hash).where(entries.c.seq.in_(last))
        found |= {row.subject: (row.subject_no, row.leaf_hash) for row in connection.execute(query)}
    return found


def _append(work: Work, new: Round) -> bool:
    """Append a prepared round, unless the log has grown since it was read."""
    connection, after = work.connection, new.size + len(new.rows)
    moved = update(marks).where(marks.c.name == "size", marks.c.value == new.size).values(value=after)
    if connection.execute(moved).rowcount != 1:
        return False
    for name, value in new.marks.items():
        connection.execute(update(marks).where(marks.c.name == name).values(value=value))
    connection.execute(insert(entries), new.rows)
    if new.salts:
        connection.execute(insert(salts), new.salts)
    ended = set(new.ended)
    if pending := [{"row_no": number} for number in new.begun if number not in ended]:
        connection.execute(insert(unresolved), pending)
    old = [number for number in new.ended if number not in set(new.begun)]
    for start in range(0, len(old), nodes.AT_ONCE):
        connection.execute(delete(unresolved).where(unresolved.c.row_no.in_(old[start : start + nodes.AT_ONCE])))
    return True
