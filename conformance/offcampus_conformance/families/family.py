"""A family of checks: what the contract promises alike for many operations, probed and judged operation by operation.

Scenario and checks share one definition. A probe is the operation's own lawful request (its control) with one thing
changed; the scenario sends it beside the control, the check reads both from the record. Labels:

- `op.createOrder`: the control, the first lawful request of the operation;
- `op.createOrder.sign.unsigned`: the probe `unsigned` of the family `sign`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from offcampus_spec.operations import Operation
from offcampus_spec.problems import problems

from offcampus_conformance import expect
from offcampus_conformance.families.request import Request
from offcampus_conformance.record import Exchange, StepMissing, View

ACCEPTED = (200, 201, 202, 204, 207)
Change = Callable[[Request], Request]


@dataclass(frozen=True)
class Probe:
    """A request that must be refused for one reason, or answered in one way.

    Attributes:
        place: the fields of the request that differ from the control's, for the machine to compare.
        codes: the problem codes that may answer it; none: it is no refusal, and the family judges it.
        pointer: where the problem must point, as a JSON pointer into the body.
        after: sent behind the control, because it builds on its effect.
    """

    name: str
    place: tuple[str, ...]
    change: Change
    codes: tuple[str, ...] = ()
    pointer: str | None = None
    after: bool = False
    items: tuple[str, ...] = ()
    """For a batch: the pointers at which item after item must be refused."""
    broken: tuple[str, ...] = ()
    """The constraints of the schema that it breaks, as `keyword:pointer`."""

    def facts(self, control: str, places: list[str]) -> dict[str, Any]:
        """What the record keeps of it beside the bytes."""
        known = {
            "control": control, "places": places, "codes": list(self.codes), "pointer": self.pointer,
            "items": list(self.items), "broken": list(self.broken),
        }  # fmt: skip
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class Family:
    """What is promised alike for many operations."""

    key: str
    title: str
    title_zh: str
    sends: str
    remedy_en: str
    remedy_zh: str
    applies: Callable[[Operation], bool]
    probes: Callable[[Operation, Request], Iterable[Probe]] = lambda operation, request: ()
    judge: Callable[[View, Operation], None] | None = None
    names: Callable[[Operation], Iterable[str]] = field(default=lambda operation: ())
    """The probes that must have been sent, as far as the contract alone tells."""
    promises: Callable[[Operation], Iterable[str]] = field(default=lambda operation: ())
    """The problem codes of the operation that the family provokes."""

    def check_id(self, operation: Operation) -> str:
        """The id of the family's check of one operation."""
        return f"P-{self.key}-{operation.operation_id}"

    def label(self, operation: Operation, probe: str) -> str:
        """The label of one probe."""
        return f"op.{operation.operation_id}.{self.key.lower()}.{probe}"

    def judged(self, view: View, operation: Operation) -> None:
        """Judge the family's probes of one operation. Raises Deviation or StepMissing."""
        (self.judge or self.all_refused)(view, operation)

    def all_refused(self, view: View, operation: Operation) -> None:
        """Every probe was refused for its own reason, and the control was taken."""
        for exchange in self.sent(view, operation):
            refused(exchange)
        self.bound(view, operation)

    def sent(self, view: View, operation: Operation) -> Iterator[Exchange]:
        """The probes in the record. Raises StepMissing when there is none, or a promised one is not there."""
        found = view.steps(self.label(operation, ""))
        for name in self.names(operation):
            view.step(self.label(operation, name))
        if not found:
            raise StepMissing(self.label(operation, "*"), "no probe of this family was sent")
        yield from found

    def bound(self, view: View, operation: Operation) -> Exchange:
        """The control, which was accepted and from which each probe differs where its facts say, and nowhere else.

        Comes last: a probe that was taken is a finding, whatever became of the control.
        """
        for exchange in view.steps(self.label(operation, "")):
            view.probe(
                exchange.label, control=exchange.facts["control"], differs=(), fresh=exchange.facts.get("places", ())
            )
        return control(view, operation)


def control(view: View, operation: Operation) -> Exchange:
    """The operation's lawful request, which was taken. Raises StepMissing otherwise: nothing can be judged then."""
    label = f"op.{operation.operation_id}"
    exchange = view.step(label)
    if exchange.status not in ACCEPTED:
        raise StepMissing(label, f"the lawful request was answered {exchange.status}")
    return exchange


def refused(exchange: Exchange) -> None:
    """The probe was refused with the code, and at the place, that its facts promise."""
    codes: list[str] = exchange.facts.get("codes", [])
    if exchange.facts.get("items"):
        return _items_refused(exchange, codes)
    body = exchange.json()
    given = body.get("code") if isinstance(body, dict) else None
    wanted: str = given if given in codes else codes[0]
    expect.problem(exchange, problems()[wanted].status, wanted, exchange.facts.get("pointer"))
    return None


def _items_refused(exchange: Exchange, codes: list[str]) -> None:
    body = expect.status(exchange, 207).json()
    results = body.get("results", []) if isinstance(body, dict) else []
    pointers = exchange.facts["items"]
    expect.equal(len(pointers), len(results), "number of results", exchange)
    for index, (pointer, result) in enumerate(zip(pointers, results, strict=True)):
        told: Mapping[str, Any] = result.get("problem") or {}
        places = [entry.get("pointer") for entry in told.get("violations", [])]
        expect.equal("refused", result.get("outcome"), f"/results/{index}/outcome (wrong at {pointer})", exchange)
        if told.get("code") not in codes:
            expect.equal(codes[0], told.get("code"), f"/results/{index}/problem/code", exchange)
        expect.equal(True, pointer in places, f"/results/{index} points at {pointer} ({places})", exchange)
