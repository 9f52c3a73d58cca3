"""Early warnings on movements: what the rules set, and nothing where they set nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from money import event_types, execute, in_contract, line, moving, sweep, take
from offcampus_rules import InstitutionWindow, Scope, Value
from offcampus_rules.decision import Figure
from offcampus_rules.declarations import LevelHere
from offcampus_server.warnings.service import escalate_overdue
from world import Document, World, problem

STEP = {"officer": "OFF-1", "note": "已约谈负责人"}


@dataclass
class Regulated:
    """The rules in force, with some parameters of warnings set as a province could set them."""

    rules: Any
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rules, name)

    def value(self, parameter: str, scope: Scope, on: date) -> Value:
        found: Value = self.rules.value(parameter, scope, on)
        return replace(found, value=self.values[parameter]) if parameter in self.values else found

    def warning_levels(self, scope: Scope, on: date) -> tuple[LevelHere, ...]:
        named = self.value("warning.levels", scope, on)
        return tuple(LevelHere(name, named) for name in named.value or ())  # type: ignore[union-attr]  # options

    def warning(self, case: InstitutionWindow) -> Figure:
        """As the national rules compare: a balance below, a day's outflow above."""
        least, most = self.values.get("warning.balance_fen_min", 0), self.values.get("warning.movement_fen_max", 2**53)
        signs = [("CN-RSK-001", (case.custody_balance_fen or 0) < least),
                 ("CN-RSK-002", (case.outflow_day_max_fen or 0) > most)]  # fmt: skip
        result = {"level": "yellow", "indicators": [{"id": id, "severity": 2} for id, found in signs if found]}
        return Figure("warning", result, ("below",), ("低于",), ())


def regulate(world: World, **values: Any) -> None:
    rules = world.platform.storage.rules()
    regulated = Regulated(rules, {f"warning.{name}": value for name, value in values.items()})
    world.platform.storage.rules = lambda: regulated  # type: ignore[assignment, return-value]


def warnings(world: World, by: str = "authority", **query: str) -> list[Document]:
    return list(world.ok(world.parties[by].get("/v1/warnings", **query))["items"])


def stray(world: World, kind: str, fen: int = 100) -> Document:
    return {**world.receipt_document(1, fen), "kind": kind, "direction": "debit"}


def step(world: World, name: str, warning: Document, by: str = "authority") -> Any:
    path = f"/v1/warnings/{warning['id']}/{name}"
    return world.parties[by].post(path, STEP, if_match=warning["version"])


@pytest.fixture
def paid(world: World) -> World:
    return world.ready()


def test_what_nobody_regulates_warns_of_nothing(paid: World) -> None:
    """Beijing has set neither a least balance nor a greatest movement: paying in and a fee raise nothing."""
    take(paid, stray(paid, "fee"))
    assert warnings(paid) == []


def test_a_sweep_to_headquarters_is_the_gravest(paid: World) -> None:
    """Scenario 27: a warning at once, of the province's gravest level; of none where no levels are regulated."""
    take(paid, stray(paid, "sweep"))
    (found,) = warnings(paid)
    assert (found["sign"], found["severity"], found["level"], found["state"]) == ("sweep", 5, None, "open")
    assert found["facts"]["amount_fen"] == 100
    regulate(paid, levels=("yellow", "red"))
    take(paid, stray(paid, "sweep"))
    assert [entry["level"] for entry in warnings(paid)] == [None, "red"]
    assert event_types(paid, found["id"]) == ["warning.raised"]


def test_thresholds_are_the_rules(paid: World) -> None:
    """To the fen, by what moved on a day and by what is held; a sign stands once until it is closed."""
    regulate(paid, balance_fen_min=480_000, movement_fen_max=100)
    take(paid, stray(paid, "fee"))
    assert warnings(paid) == [], "100 fen is not above 100, 480,000 not below it"
    take(paid, stray(paid, "fee", 1))
    take(paid, stray(paid, "fee", 1))
    (found,) = warnings(paid)
    assert (found["sign"], found["level"], found["working_zh"]) == ("CN-RSK-002", "yellow", ["低于"])
    assert found["facts"] == {"custody_balance_fen": 480_000, "outflow_day_max_fen": 101}
    paid.confirm(*paid.report(1))
    (release,) = moving(paid)
    paid.ok(execute(paid, release["id"]))
    take(paid, line(paid, release))
    assert [entry["sign"] for entry in warnings(paid)] == ["CN-RSK-002", "CN-RSK-001"]
    paid.ok(step(paid, "closure", paid.ok(step(paid, "handling", found))))
    take(paid, stray(paid, "fee", 1))
    assert [entry["state"] for entry in warnings(paid)] == ["closed", "open", "open"]


def test_money_out_without_lessons(paid: World) -> None:
    """By hand, or as a release that names no instruction of ours."""
    unnamed = {**stray(paid, "release"), "instruction_id": "cin_" + "0" * 26}
    take(paid, stray(paid, "other"), unnamed)
    assert [entry["sign"] for entry in warnings(paid)] == ["release_without_lessons"] * 2


def test_a_warning_is_handled_and_then_closed(paid: World) -> None:
    """In this order, by the department, each with a note; the institution reads it, the bank does not."""
    take(paid, stray(paid, "sweep"))
    (found,) = warnings(paid)
    assert warnings(paid, "vendor") == [found]
    problem(paid.bank.get("/v1/warnings"), 403, "auth.scope")
    problem(step(paid, "handling", found, "vendor"), 403, "auth.scope")
    problem(in_contract(step(paid, "closure", found), "closeWarning"), 409, "resource.state")
    handled = paid.ok(step(paid, "handling", found))
    assert (handled["state"], handled["handling"]["note"]) == ("handled", STEP["note"])
    problem(in_contract(step(paid, "handling", handled), "handleWarning"), 409, "resource.state")
    closed = paid.ok(step(paid, "closure", handled))
    assert closed["state"] == "closed"
    assert paid.ok(paid.authority.get(f"/v1/warnings/{closed['id']}")) == closed
    assert event_types(paid, found["id"]) == ["warning.raised", "warning.handled", "warning.closed"]
    assert warnings(paid, state="open") == []


def test_what_is_not_handled_in_time_is_escalated_once(paid: World) -> None:
    """After the province's working days, where it has set some; otherwise never."""
    take(paid, stray(paid, "sweep"))
    regulate(paid, handled_within=3)
    take(paid, stray(paid, "sweep"))
    first, second = warnings(paid)
    assert (first["due_at"], second["due_at"] is not None) == (None, True)
    assert sweep(paid, escalate_overdue) == 0
    paid.shift(days=30)
    assert sweep(paid, escalate_overdue) == 1
    assert sweep(paid, escalate_overdue) == 0
    assert [entry["state"] for entry in warnings(paid)] == ["open", "escalated"]
    assert paid.ok(step(paid, "handling", warnings(paid)[1]))["state"] == "handled"
