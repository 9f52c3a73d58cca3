"""What proves that the profile `platform` judges well: one sound run, made faulty in thousands of ways.

Judges are pure functions of the record, so a faulty platform needs no traffic: its answers are put into the record of a
sound one. A fault is killed when the check that is named for it deviates on an exchange where the fault was active; an
answer 5xx where the sound platform gives none is a crash, and no kill.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from offcampus_conformance.check import Check, checks_of
from offcampus_conformance.families import FAMILIES
from offcampus_conformance.families.violations import constraint_of, constraints, subsumed, violations
from offcampus_conformance.finding import Deviation
from offcampus_conformance.record import Exchange, Record, View
from offcampus_conformance.standins.platform_faults import faults
from offcampus_conformance.standins.platform_faults.fault import Fault
from offcampus_conformance.standins.platform_faults.over_record import Sound
from offcampus_spec import schemas
from offcampus_spec._root import data_root
from offcampus_spec.operations import Operation, operations

CHECKS: Mapping[str, Check] = {check.id: check for check in checks_of("platform")}
LIVE_ONLY = frozenset({"answers_names_in_clear"})
"""What a record cannot show: personal data are taken out of it before it is kept."""
BEYOND = {
    "maximum": "the largest integer of JSON: what lies beyond is refused as json.number",
    "maxLength": "longer than a body may be",
    "maxItems": "more different values than there are",
}


@dataclass
class Tally:
    """How many mutants there were, and which of them no check found."""

    killed: Counter[str] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)
    equivalent: int = 0

    @property
    def total(self) -> int:
        return sum(self.killed.values()) + len(self.survivors)

    def note(self, killer: str, name: str, *, killed: bool) -> None:
        if killed:
            self.killed[killer] += 1
        else:
            self.survivors.append(f"{name} ({killer})")


def deviates(record: Record, check_id: str, active: Iterable[str]) -> bool:
    """The check finds the record wanting, on an exchange where the fault was active."""
    view = View(record)
    try:
        CHECKS[check_id].judge(view)
    except Deviation as deviation:
        shown = {exchange.label for exchange in deviation.exchanges} or set(view.met)
        return not shown.isdisjoint(active)
    except Exception:  # blocked, not exercised, or an error of the suite: no kill
        return False
    return False


def named(record: Record, only: Iterable[str] | None = None) -> Tally:
    """Each named fault, over the record."""
    sound, tally = Sound(record), Tally()
    for fault in faults().values():
        if fault.name in LIVE_ONLY or (only is not None and fault.killed_by not in only):
            continue
        made, active = sound.under(fault)
        tally.note(fault.killed_by, fault.name, killed=bool(active) and deviates(made, fault.killed_by, active))
    return tally


def inert() -> Fault:
    """A fault that changes nothing: it must survive, or the gate proves nothing."""
    return Fault("inert", "P-ORDER-002", lambda seen, memory: None, "Changes nothing.")


def probes_taken(record: Record, every: int = 1) -> Tally:
    """Each probe of each family taken as though it were lawful, and each refused for another reason."""
    tally, numbers = Tally(), itertools.count()
    for family in FAMILIES:
        for operation in operations().values():
            if not family.applies(operation):
                continue
            prefix, check_id, seen = family.label(operation, ""), family.check_id(operation), set[str]()
            for exchange in [found for found in record if found.label.startswith(prefix)]:
                for name, changed in _answered_otherwise(record, exchange, operation):
                    if next(numbers) % every and prefix in seen:
                        continue
                    seen.add(prefix)
                    made = record.but({exchange.label: changed})
                    tally.note(check_id, f"{exchange.label} {name}", killed=deviates(made, check_id, [exchange.label]))
    return tally


def _answered_otherwise(record: Record, exchange: Exchange, operation: Operation) -> Iterator[tuple[str, Exchange]]:
    control = record.find(f"op.{operation.operation_id}")
    if control is None or ".page." in exchange.label:  # pages are spoilt apart
        return
    if exchange.facts.get("items"):
        yield from _items_taken(exchange)
    elif exchange.facts.get("codes"):
        status = 207 if operation.batch else control.status
        yield "taken", dataclasses.replace(exchange, status=status, response_body=control.response_body)
        body = {**(exchange.json() or {}), "code": "rate.limited"}
        yield "for another reason", dataclasses.replace(exchange, response_body=json.dumps(body))
    else:
        yield "lost", dataclasses.replace(exchange, status=404, response_body="{}")


def _items_taken(exchange: Exchange) -> Iterator[tuple[str, Exchange]]:
    """Each item of a batch taken by itself."""
    for index, pointer in enumerate(exchange.facts["items"]):
        body = exchange.json()
        body["results"][index] = {"index": index, "outcome": "accepted", "status": 201, "id": "les_1"}
        yield f"item {pointer} taken", dataclasses.replace(exchange, response_body=json.dumps(body))


def request_constraints(record: Record) -> Tally:
    """Every constraint of every request schema: is there a probe that breaks it alone?

    That such a probe, taken, is found stands in `probes_taken`. What no document can break alone is equivalent.
    """
    tally = Tally()
    for operation in operations().values():
        schema = operation.item_schema or operation.request_schema
        if schema is None or operation.request_schema == "token-request":
            continue
        found = {
            constraint_of(*name.split(":", 1))
            for exchange in record
            if exchange.label.startswith(f"op.{operation.operation_id}.schema.")
            for name in exchange.facts.get("broken", ())
        }
        wanted = constraints(schema)
        same = subsumed(schema, _example(schema)) & (wanted - found)
        for keyword, place in sorted(wanted - same):
            beyond = keyword in BEYOND and (keyword, place) not in found
            tally.equivalent += beyond
            if not beyond:
                check = f"P-SCHEMA-{operation.operation_id}"
                tally.note(check, f"{operation.operation_id} {keyword} {place}", killed=(keyword, place) in found)
        tally.equivalent += len(same)
    return tally


def _example(schema: str) -> Any:
    """The longest of the standard's own examples."""
    found = sorted((data_root() / "examples" / schema / "valid").glob("*.json"))
    return json.loads(max((path.read_text(encoding="utf-8") for path in found), key=len)) if found else {}


def response_constraints(record: Record, every: int = 1) -> Tally:
    """Every constraint of every answer's schema, broken alone in the answer to the lawful request."""
    tally = Tally()
    for operation in operations().values():
        control = record.find(f"op.{operation.operation_id}")
        schema = operation.responses.get(str(control.status)) if control is not None else None
        check_id = f"P-ANSWER-{operation.operation_id}"
        if control is None:
            continue
        other = record.but({control.label: dataclasses.replace(control, status=299)})
        tally.note(check_id, f"{operation.operation_id} status", killed=deviates(other, check_id, [control.label]))
        if schema is None:
            continue
        body = control.json()
        if not schemas.compile_schema(schema).is_valid(body):  # the record hides personal data
            body = _example(PurePosixPath(schema.get("$ref", "")).stem)
        if not schemas.compile_schema(schema).is_valid(body):
            continue
        location = {**control.response_headers, "location": f"{operation.path}/{body.get('id')}"}
        for violation in violations(schema, body)[::every]:
            changed = dataclasses.replace(
                control, response_body=json.dumps(violation.document, ensure_ascii=False), response_headers=location
            )
            killed = deviates(record.but({control.label: changed}), check_id, [control.label])
            tally.note(check_id, f"{operation.operation_id} {violation.name}", killed=killed)
    return tally


def dead_checks(*tallies: Tally) -> list[str]:
    """Checks that no fault of these makes red, nor any named one."""
    red = {killer for tally in tallies for killer in tally.killed}
    return sorted(id for id in CHECKS if id not in red)


def problems_spoilt(record: Record) -> Tally:
    """One refusal of each operation without its code."""
    tally = Tally()
    for operation in operations().values():
        refused = next((e for e in record if e.operation_id == operation.operation_id and (e.status or 0) >= 400), None)
        if refused is None:
            continue
        body = {name: value for name, value in refused.json().items() if name != "code"}
        made = record.but({refused.label: dataclasses.replace(refused, response_body=json.dumps(body))})
        check_id = f"P-PROBLEM-{operation.operation_id}"
        tally.note(check_id, operation.operation_id, killed=deviates(made, check_id, [refused.label]))
    return tally


def pages_spoilt(record: Record) -> Tally:
    """The second page of each list repeats the first, or the first is empty."""
    tally = Tally()
    for check_id in (id for id in CHECKS if id.startswith("P-PAGE-") and not id[-1].isdigit()):
        prefix = f"op.{check_id.removeprefix('P-PAGE-')}.page.by_one."
        pages = [exchange for exchange in record if exchange.label.startswith(prefix)]
        if len(pages) < 2:
            continue
        repeated = dataclasses.replace(pages[1], response_body=pages[0].response_body)
        made = record.but({pages[1].label: repeated})
        tally.note(check_id, check_id, killed=deviates(made, check_id, [page.label for page in pages]))
    return tally


def tallies(record: Record, every: int = 1) -> dict[str, Tally]:
    """The whole gate; of the mutants that are many, every n-th."""
    return {
        "named faults": named(record),
        "constraints of requests": request_constraints(record),
        "constraints of answers": response_constraints(record, every),
        "refusals without a code": problems_spoilt(record),
        "pages spoilt": pages_spoilt(record),
        "probes taken, or refused for another reason": probes_taken(record, every),
    }
