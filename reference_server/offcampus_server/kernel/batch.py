"""Batch reports: every item is judged by itself, all valid ones are stored, each invalid one is explained at its
index, and the whole may be repeated: what was accepted before is answered as a duplicate with its first identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from offcampus_spec import schemas
from sqlalchemy import Executable, Table, bindparam, select

from offcampus_server.kernel import violations
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import JsonObject, Problem, violation
from offcampus_server.kernel.unit_of_work import Work

MULTI_STATUS = 207


@dataclass
class Item:
    """One item of a batch and what became of it."""

    index: int
    document: JsonObject
    digest: str = ""
    id: str | None = None
    version: int | None = None
    outcome: str | None = None
    problem: Problem | None = None

    @property
    def open(self) -> bool:
        """Not yet decided."""
        return self.outcome is None

    @property
    def external_id(self) -> str | None:
        """The party's own reference, when there is one to speak of."""
        value = self.document.get("external_id")
        return value if isinstance(value, str) and len(value) <= 64 else None

    def refuse(self, problem: Problem) -> None:
        """Decide against the item."""
        self.outcome, self.problem = "refused", problem

    def accept(self, id: str, version: int = 1) -> None:
        """The item is stored under this identifier."""
        self.outcome, self.id, self.version = "accepted", id, version

    def repeat(self, id: str, version: int) -> None:
        """The item was stored before."""
        self.outcome, self.id, self.version = "duplicate", id, version


@dataclass
class Batch:
    """The items of one request."""

    call: Call
    work: Work
    items: list[Item] = field(default_factory=list)

    @property
    def open(self) -> list[Item]:
        """The items that are not yet decided."""
        return [item for item in self.items if item.open]

    def check_schema(self) -> None:
        """Refuse what does not fit the item's schema."""
        name = self.call.operation.item_schema
        assert name is not None
        validator = schemas.validator(name)
        for item in self.open:
            if not validator.is_valid(item.document):
                item.refuse(violations.refusal(violations.violations(validator.iter_errors(item.document))))

    def check_known(self, table: Table) -> None:
        """Answer repetitions as duplicates; refuse an external_id that stands for another content."""
        assert self.work.party is not None
        wanted = [item.document["external_id"] for item in self.open]
        stored = self._stored(table, wanted)
        here: dict[str, Item] = {}
        for item in self.open:
            item.digest = self.work.vault.digest(item.document)
            external_id = item.document["external_id"]
            if external_id in stored:
                _settle_known(item, *stored[external_id])
            elif external_id in here:
                detail = f"item {here[external_id].index} of this batch has the same external_id"
                item.refuse(Problem("resource.exists", detail, [violation("resource.exists", "/external_id")]))
            else:
                here[external_id] = item

    def answer(self) -> Answer:
        """One result per item. Raises `batch.strict` when all or nothing was asked and an item was refused."""
        refused = [item for item in self.items if item.outcome == "refused"]
        if self.call.strict and refused:
            raise Problem("batch.strict", f"{len(refused)} item(s) refused", [_as_violation(item) for item in refused])
        counts = {name: sum(item.outcome == name for item in self.items) for name in OUTCOMES}
        return Answer(MULTI_STATUS, {"results": [_result(item, self.work) for item in self.items], "summary": counts})

    def _stored(self, table: Table, external_ids: Sequence[str]) -> dict[str, tuple[str, int, str]]:
        assert self.work.party is not None
        found: dict[str, tuple[str, int, str]] = {}
        for start in range(0, len(external_ids), 500):
            sought = {"party": self.work.party.id, "references": external_ids[start : start + 500]}
            for row in self.work.connection.execute(_by_references(table), sought):
                found[row.external_id] = (row.id, row.version, row.digest)
        return found


@cache
def _by_references(table: Table) -> Executable:
    return select(table.c.external_id, table.c.id, table.c.version, table.c.digest).where(
        table.c.party_id == bindparam("party"), table.c.external_id.in_(bindparam("references", expanding=True))
    )


OUTCOMES = ("accepted", "duplicate", "refused")


def run(call: Call, work: Work, table: Table, judge: Callable[[Batch], None]) -> Answer:
    """Carry out a batch: schema, repetitions, then the capability's own judgement of what is left open."""
    batch = Batch(call, work, [Item(index, document) for index, document in enumerate(call.body["items"])])
    batch.check_schema()
    batch.check_known(table)
    if batch.open:
        judge(batch)
    return batch.answer()


def _settle_known(item: Item, id: str, version: int, digest: str) -> None:
    if digest == item.digest:
        item.repeat(id, version)
    else:
        detail = f"external_id stands for {id} with another content"
        item.refuse(Problem("resource.exists", detail, [violation("resource.exists", "/external_id", given=id)]))


def _result(item: Item, work: Work) -> JsonObject:
    result: JsonObject = {"index": item.index, "external_id": item.external_id, "outcome": item.outcome}
    if item.problem is not None:
        problem = item.problem.to_json(request_id=work.request_id or "-", language=work.language)
        return {**result, "status": item.problem.status, "problem": problem}
    return {**result, "status": 201 if item.outcome == "accepted" else 200, "id": item.id, "version": item.version}


def _as_violation(item: Item) -> JsonObject:
    assert item.problem is not None
    return violation(item.problem.code, f"/items/{item.index}", message_en=item.problem.detail or item.problem.code)


def documents(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The documents of items, in order."""
    return [item.document for item in items]
