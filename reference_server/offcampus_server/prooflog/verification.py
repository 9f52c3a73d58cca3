"""The log judged against the rows that it speaks of, against its signed heads, and against what was kept outside.

Nothing stored is believed: leaves are made anew from today's rows, nodes from leaves, roots from nodes. Each flaw
names the entry and the row; where only a span can be told, because hashes were worked out anew behind our back, it
says so. Without a checkpoint from outside nobody can know whether the whole was cut or written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from offcampus_server.kernel.facts import Fact
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.prooflog import heads, leaves, proofs, tree
from offcampus_server.prooflog.checkpoints import Checkpoint, grow, root
from offcampus_server.prooflog.erasure import DESTROYED, seq_of
from offcampus_server.prooflog.nodes import HEX, computed
from offcampus_server.prooflog.sources import SOURCES, Source
from offcampus_server.prooflog.tables import entries, marks, salts
from offcampus_server.prooflog.tables import heads as heads_table

AT_A_TIME = 500
LOWEST = -(2**63)


@dataclass(frozen=True, order=True)
class Flaw:
    """Something that is not as it was logged. `seq` is the entry; `last` is set when only a span can be told."""

    seq: int
    kind: str
    row: str
    text: str
    last: int | None = None

    def __str__(self) -> str:
        place = f"entry {self.seq}" if self.last is None else f"one of the entries {self.seq} to {self.last}"
        return f"{place} ({self.row}): {self.kind}: {self.text}"


@dataclass
class Report:
    """What a verification has found, and what it has looked at."""

    start: int = 0
    size: int = 0
    heads: int = 0
    waiting: int = 0
    erased: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    def add(self, seq: int, kind: str, row: str, text: str, last: int | None = None) -> None:
        """Note a flaw."""
        self.flaws.append(Flaw(seq, kind, row, text, None if last == seq else last))

    def first(self) -> Flaw | None:
        """The first flaw; among those of one entry the most exact."""
        return min(self.flaws, key=lambda flaw: (flaw.seq, flaw.last is not None, flaw), default=None)


@dataclass
class _Walk:
    """What is carried from entry to entry."""

    stack: list[bytes] = field(default_factory=list)
    chains: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    good_until: int = 0
    """Entries below this are under a head, or full subtree, that holds."""
    unsalted: list[int] = field(default_factory=list)
    destroyed: set[int] = field(default_factory=set)
    flawed_at: int | None = None
    """Where the tree first differs; after that its roots say nothing new."""

    def flaw(self, seq: int) -> None:
        """Note that the tree is not what it was from here on."""
        self.flawed_at = seq if self.flawed_at is None else min(seq, self.flawed_at)


def verify(
    connection: Connection, keyring: Keyring, checkpoint: Checkpoint | None = None, *, since: bool = False
) -> Report:
    """Judge the log. Reads only.

    Args:
        since: believe everything below the checkpoint (its root is worked out from stored nodes and must agree) and
            judge only what was appended later.
    """
    report = Report()
    walk = _Walk()
    if since and checkpoint is not None:
        report.start = checkpoint.size
        if not _begin_at(connection, report, walk, checkpoint):
            return report
    for chunk in _chunks(connection, report.start):
        _judge(connection, report, walk, chunk, keyring, checkpoint)
    _judge_salts(report, walk)
    _judge_ends(connection, report, walk, checkpoint)
    for source in SOURCES.values():
        _judge_unlogged(connection, report, source)
    report.flaws.sort()
    return report


def _chunks(connection: Connection, start: int) -> Iterator[list[RowMapping]]:
    while True:
        query = select(entries).where(entries.c.seq >= start).order_by(entries.c.seq).limit(AT_A_TIME)
        chunk = list(connection.execute(query).mappings())
        if not chunk:
            return
        yield chunk
        start = chunk[-1]["seq"] + 1


def _begin_at(connection: Connection, report: Report, walk: _Walk, checkpoint: Checkpoint) -> bool:
    """Take up the tree at a checkpoint's size from stored nodes; False when they are not those of the checkpoint."""
    try:
        top = computed(connection, lambda lookup: tree.root(checkpoint.size, lookup)).hex()
    except LookupError:
        top = ""
    if top != checkpoint.root_hash:
        text = "the stored tree up to here is not the checkpoint's; verify from the beginning"
        report.add(0, "history changed", "the log", text, checkpoint.size - 1)
        return False
    peaks = [(level, (checkpoint.size >> level) - 1) for level in range(64) if checkpoint.size >> level & 1]
    walk.stack = computed(connection, lambda lookup: [lookup(node) for node in reversed(peaks)])
    report.size = walk.good_until = checkpoint.size
    return True


def _judge(
    connection: Connection, report: Report, walk: _Walk, chunk: list[RowMapping], keyring: Keyring,
    checkpoint: Checkpoint | None,
) -> None:  # fmt: skip
    told = _told(connection, chunk)
    seqs = [row["seq"] for row in chunk]
    query = select(salts).where(salts.c.seq.in_(seqs))
    salted = {row.seq: row.salt for row in connection.execute(query)}
    signed = select(heads_table).where(heads_table.c.size.between(seqs[0] + 1, seqs[-1] + 1))
    found_heads = {row["size"]: row for row in connection.execute(signed).mappings()}
    for row in chunk:
        if row["seq"] != report.size:
            report.add(report.size, "entry missing", "the log", "the entry is gone", row["seq"] - 1)
            walk.flaw(report.size)
            report.size = row["seq"]
        _judge_entry(report, walk, row, told.get((row["source"], row["row_no"], row["fact"])), salted)
        _judge_place(report, walk, row, checkpoint)
        report.size += 1
        if (head := found_heads.get(report.size)) is not None:
            _judge_head(report, walk, head, keyring)


def _judge_entry(report: Report, walk: _Walk, entry: RowMapping, fact: Fact | None, salted: Mapping[int, str]) -> None:
    """Is the leaf still what the row tells?"""
    seq, name = entry["seq"], named(entry)
    if fact is None:
        undone = "it tells this no more" if entry["fact"] == "resolved" else "the row is gone"
        report.add(seq, "row deleted", name, undone)
        return
    if entry["commitment"] is not None and seq not in salted:
        walk.unsalted.append(seq)
    elif entry["commitment"] is not None and leaves.commit(salted[seq], fact.personal) != entry["commitment"]:
        report.add(seq, "row edited", name, "its personal part is not the one that was committed to")
    elif entry["commitment"] is None and fact.personal is not None:
        report.add(seq, "row edited", name, "it has got a personal part")
    if fact.row.get("action") == DESTROYED:
        walk.destroyed.add(seq_of(str(fact.row["subject"])))
    if entry["hash_id"] != tree.HASH_ID or leaves.hashed(proofs.leaf_of(entry, fact)).hex() != entry["leaf_hash"]:
        report.add(seq, "row edited", name, "it is not the row that was logged")


def _judge_place(report: Report, walk: _Walk, entry: RowMapping, checkpoint: Checkpoint | None) -> None:
    """Does the entry stand where it stood: in its source's order, in its order's chain, under its nodes?"""
    seq, name, leaf = entry["seq"], named(entry), entry["leaf_hash"]
    if entry["fact"] == SOURCES[entry["source"]].first:
        if entry["row_no"] <= walk.newest.get(entry["source"], LOWEST):
            report.add(seq, "order changed", name, "a row of a higher number stands before it")
        walk.newest[entry["source"]] = entry["row_no"]
    if (subject := entry["subject"]) is not None:
        _judge_chain(report, walk, entry, subject)
        walk.chains[subject] = (entry["subject_no"], leaf, seq)
    if checkpoint and checkpoint.leaf_hashes and seq < checkpoint.size and checkpoint.leaf_hashes[seq] != leaf:
        report.add(seq, "history changed", name, "the list that was kept outside has another hash here")
        walk.flaw(seq)
    _judge_nodes(report, walk, entry)


def _judge_chain(report: Report, walk: _Walk, entry: RowMapping, subject: str) -> None:
    before = walk.chains.get(subject)
    if before is None:
        if entry["subject_no"] != 1 and not report.start:
            report.add(entry["seq"], "order changed", named(entry), f"the facts of {subject} do not begin with it")
        return
    no, leaf, seq = before
    if entry["subject_no"] != no + 1:
        report.add(entry["seq"], "order changed", named(entry), f"fact {no + 1} of {subject} should stand here")
    elif entry["subject_previous"] != leaf:
        text = f"hashed anew: entry {entry['seq']}, which follows it, knew another leaf"
        report.add(seq, "history changed", subject, text)


def _judge_nodes(report: Report, walk: _Walk, entry: RowMapping) -> None:
    if walk.flawed_at is not None:
        return
    seq = entry["seq"]
    above = grow(walk.stack, seq, bytes.fromhex(entry["leaf_hash"]))
    stored = [entry["nodes"][place : place + HEX] for place in range(0, len(entry["nodes"]), HEX)]
    expected = [node.hex() for node in above]
    if stored == expected:
        return
    levels = [level for level in range(len(expected)) if stored[level : level + 1] != expected[level : level + 1]]
    width = 2 << levels[0] if levels else 1
    report.add(seq + 1 - width, "history changed", "the log", "the tree's nodes do not fit its leaves", seq)
    walk.flaw(seq + 1 - width)


def _judge_head(report: Report, walk: _Walk, head: RowMapping, keyring: Keyring) -> None:
    report.heads += 1
    size = head["size"]
    if not heads.holds(head, keyring):
        text = "its signature does not hold under a key of the key file"
        report.add(size - 1, "head forged", f"head of {size}", text)
    elif walk.flawed_at is None:
        if root(walk.stack).hex() == head["root_hash"]:
            walk.good_until = size
            return
        text = f"the root over {size} entries is not the one that was signed"
        report.add(walk.good_until, "history changed", "the log", text, size - 1)
        walk.flaw(walk.good_until)


def _judge_salts(report: Report, walk: _Walk) -> None:
    for seq in walk.unsalted:
        if seq in walk.destroyed:
            report.erased += 1
        else:
            report.add(seq, "salt missing", f"entry {seq}", "no line of the audit trail says that it was destroyed")


def _judge_ends(connection: Connection, report: Report, walk: _Walk, checkpoint: Checkpoint | None) -> None:
    """Nothing signed, counted or kept outside reaches beyond the last entry."""
    beyond = select(heads_table).where(heads_table.c.size > report.size).order_by(heads_table.c.size)
    if (head := connection.execute(beyond).mappings().first()) is not None:
        report.heads += 1
        text = f"a head of {head['size']} entries was signed, {report.size} are there"
        report.add(report.size, "truncated", "the log", text)
    counted = connection.execute(select(marks.c.value).where(marks.c.name == "size")).scalar()
    if counted != report.size:
        report.add(report.size, "truncated", "the log", f"{counted} entries were counted, {report.size} are there")
    if checkpoint is None or report.start:
        return
    if checkpoint.size > report.size:
        text = f"the checkpoint is over {checkpoint.size} entries, {report.size} are there"
        report.add(report.size, "truncated", "the log", text)
    elif not _agrees(connection, checkpoint):
        text = f"the root over {checkpoint.size} entries is not the checkpoint's"
        # Heads that hold say nothing against it: whoever has the key can sign two histories.
        report.add(walk.flawed_at or 0, "history changed", "the log", text, checkpoint.size - 1)


def _agrees(connection: Connection, checkpoint: Checkpoint) -> bool:
    """The root over the leaves as they are stored, worked out without stored nodes."""
    stack: list[bytes] = []
    for start in range(0, checkpoint.size, 10_000):
        end = min(start + 10_000, checkpoint.size)
        found = proofs.leaf_hashes(connection, start, end)
        if len(found) != end - start:
            return False
        for index, text in enumerate(found, start):
            grow(stack, index, bytes.fromhex(text))
    return root(stack).hex() == checkpoint.root_hash


def _judge_unlogged(connection: Connection, report: Report, source: Source) -> None:
    """Rows between logged ones that the log knows nothing of; what is newer than the newest waits to be logged."""
    mine = (entries.c.source == source.name) & (entries.c.fact == source.first)
    newest = connection.execute(select(func.max(entries.c.row_no)).where(mine)).scalar()
    known = connection.execute(select(func.max(entries.c.row_no)).where(mine, entries.c.seq < report.start)).scalar()
    after = LOWEST if known is None else known
    until = after if newest is None else newest
    report.waiting += max(0, source.newest(connection) - max(until, 0))
    while numbers := source.numbers(connection, after, until, AT_A_TIME):
        query = select(entries.c.row_no).where(mine, entries.c.row_no.in_(numbers))
        for number in sorted(set(numbers) - set(connection.execute(query).scalars())):
            later = select(func.min(entries.c.seq)).where(mine, entries.c.row_no > number)
            seq = connection.execute(later).scalar()
            text = "the row stands between logged ones and was never logged"
            report.add(seq if seq is not None else report.size, "row inserted", f"{source.name} {number}", text)
        after = numbers[-1]


def _told(connection: Connection, chunk: list[RowMapping]) -> dict[tuple[str, int, str], Fact]:
    found: dict[tuple[str, int, str], Fact] = {}
    for name, source in SOURCES.items():
        numbers = sorted({row["row_no"] for row in chunk if row["source"] == name})
        if numbers:
            found |= {(name, *key): fact for key, fact in source.told(connection, numbers).items()}
    return found


def named(entry: Mapping[Any, Any]) -> str:
    """The row that an entry speaks of, in words."""
    return f"{entry['source']} {entry['row_no']}, {entry['fact']}"
