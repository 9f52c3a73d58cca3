"""Other engines on one rule they can all say: at most 500,000 fen, 60 hours and three months of service.

Each peer answers from its own form of the facts; making that form is not measured, only asking. A peer that is not
installed gives None and is named in the table. Spans are handed over as a limit date or in days where an engine has no
calendar, which spares it the work that ours does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from offcampus_rules import Charge
from offcampus_rules.calendar import months_after

_MONTH = "2026-03"
MOST_FEN, MOST_CENTI_HOURS, MOST_MONTHS = 500_000, 6_000, 3


@dataclass(frozen=True)
class Peer:
    """An engine with the rule loaded. `ask` answers the cases from `first` to `last`; `batch` all of them at once."""

    name: str
    gives: str
    ask: Callable[[int, int], list[bool]] | None
    batch: Callable[[], Sequence[bool]] | None = None


def numbers(case: Charge) -> tuple[int, int, int, int]:
    """The case as plain numbers: fen, hundredths of hours, the end of the service, and the last end that is allowed."""
    hours = case.class_hours_centi + case.gift_hours_centi
    limit = months_after(case.service_from, MOST_MONTHS)
    return case.total_fen, hours, case.service_until.toordinal(), limit.toordinal()


def expected(cases: Sequence[Charge]) -> list[bool]:
    """What the rule says, written out."""
    return [
        fen <= MOST_FEN and hours <= MOST_CENTI_HOURS and end <= limit for fen, hours, end, limit in map(numbers, cases)
    ]


def peers(cases: Sequence[Charge]) -> list[Peer | str]:
    """The engines that are installed, and the names of those that are not."""
    found: list[Peer | str] = []
    for make in (_cel, _regorus, _cedar, _openfisca):
        try:
            found.append(make(cases))
        except ImportError as error:
            found.append(f"{error.name} (not installed: pip install -r requirements-bench.txt)")
    return found


def _facts(cases: Sequence[Charge]) -> list[dict[str, int]]:
    return [dict(zip(("fen", "hours", "end", "limit"), numbers(case), strict=True)) for case in cases]


def _cel(cases: Sequence[Charge]) -> Peer:
    import cel

    program = cel.compile(f"fen <= {MOST_FEN} && hours <= {MOST_CENTI_HOURS} && end <= limit")
    facts = _facts(cases)
    return Peer(
        "common-expression-language", "a boolean", lambda a, b: [bool(program.execute(item)) for item in facts[a:b]]
    )


def _regorus(cases: Sequence[Charge]) -> Peer:
    import regorus

    engine = regorus.Engine()
    engine.add_policy(
        "rule.rego",
        f"""package rule
import rego.v1
broken contains "amount" if input.fen > {MOST_FEN}
broken contains "hours" if input.hours > {MOST_CENTI_HOURS}
broken contains "span" if input.end > input.limit
""",
    )
    facts = [json.dumps(item) for item in _facts(cases)]

    def ask(first: int, last: int) -> list[bool]:
        answers = []
        for item in facts[first:last]:
            engine.set_input_json(item)
            answers.append(not engine.eval_rule("data.rule.broken"))
        return answers

    return Peer("gordon-to-regorus", "the set of broken rules, by name", ask)


def _cedar(cases: Sequence[Charge]) -> Peer:
    import cedarpy

    policies = f"""
permit(principal, action, resource);
@id("amount") forbid(principal, action, resource) when {{ context.fen > {MOST_FEN} }};
@id("hours") forbid(principal, action, resource) when {{ context.hours > {MOST_CENTI_HOURS} }};
@id("span") forbid(principal, action, resource) when {{ context.end > context.limit }};
"""
    loaded = cedarpy.PolicySet.from_str(policies)
    nobody = cedarpy.Entities.from_json_str("[]") if hasattr(cedarpy.Entities, "from_json_str") else []
    who = {"principal": 'P::"p"', "action": 'Action::"charge"', "resource": 'R::"r"'}
    requests = [{**who, "context": item} for item in _facts(cases)]

    def ask(first: int, last: int) -> list[bool]:
        return [bool(cedarpy.is_authorized(item, loaded, nobody).allowed) for item in requests[first:last]]

    return Peer("cedarpy", "allow or deny, and the policies that decided", ask)


def _openfisca(cases: Sequence[Charge]) -> Peer:
    import numpy as np
    from openfisca_core import entities, periods, simulation_builder, taxbenefitsystems, variables

    person = entities.Entity("person", "persons", "", "")
    system = taxbenefitsystems.TaxBenefitSystem([person])
    period = periods.MONTH

    def given(label: str) -> type:
        return type(
            label, (variables.Variable,),
            {"value_type": int, "entity": person, "definition_period": period, "label": label},
        )  # fmt: skip

    def formula(self: Any, when: Any) -> Any:
        fen, hours, end, limit = (self(name, when) for name in names)
        return (fen <= MOST_FEN) * (hours <= MOST_CENTI_HOURS) * (end <= limit)

    names = ("fen", "hours", "end", "limit")
    for name in names:
        system.add_variable(given(name))
    system.add_variable(
        type(
            "lawful", (variables.Variable,),
            {"value_type": bool, "entity": person, "definition_period": period, "label": "", "formula": formula},
        )
    )  # fmt: skip
    columns = {name: np.array([item[name] for item in _facts(cases)]) for name in names}
    rows = [{name: {_MONTH: value} for name, value in item.items()} for item in _facts(cases)]

    def one(row: dict[str, Any]) -> bool:
        build = simulation_builder.SimulationBuilder()
        simulation = build.build_from_dict(system, {"persons": {"p": {**row, "lawful": {_MONTH: None}}}})
        return bool(simulation.calculate("lawful", _MONTH)[0])

    def batch() -> Sequence[bool]:
        simulation = simulation_builder.SimulationBuilder().build_default_simulation(system, len(cases))
        for name, column in columns.items():
            simulation.set_input(name, _MONTH, column)
        return list(simulation.calculate("lawful", _MONTH))

    return Peer("openfisca-core", "a value; no reason", lambda a, b: [one(row) for row in rows[a:b]], batch)
