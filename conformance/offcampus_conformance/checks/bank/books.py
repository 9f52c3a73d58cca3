"""The bank's side as the wire shows it: lines that were reported, instructions and what was told of each."""

from __future__ import annotations

import json
from typing import Any

from offcampus_conformance.checks.traffic import accepted, known, records, sent
from offcampus_conformance.record import Exchange, NotMet, StepMissing, View

Line = dict[str, Any]
OUTCOMES = ("executeCustodyInstruction", "failCustodyInstruction")


def lines(view: View) -> list[tuple[Exchange, Line]]:
    """Every line that the platform took, once. Raises NotMet when there is none."""
    found = accepted(view, "reportCustodyMovements")
    if not found:
        raise NotMet("no line was reported")
    return found


def told(view: View) -> list[tuple[Exchange, Line]]:
    """Every line that was reported, taken or refused."""
    found = records(view, "reportCustodyMovements")
    if not found:
        raise NotMet("no line was reported")
    return found


def issued(view: View, step: str, name: str) -> tuple[Exchange, str]:
    """The moment at which an instruction was issued, and its identifier."""
    moment = view.step(f"moment.{step}")
    body = json.loads(moment.response_body or "{}")
    id = str(body.get("subject", ""))
    if not id.startswith("cin_"):
        raise StepMissing(f"moment.{step}", f"no instruction {name} was issued")
    return moment, id


def outcomes(view: View, instruction: str, *operation_ids: str) -> list[Exchange]:
    """What was told of an instruction, as it arrived."""
    wanted = operation_ids or OUTCOMES
    return [exchange for exchange in sent(view, *wanted) if instruction in exchange.url]


def debits(view: View, instruction: str) -> list[tuple[Exchange, Line]]:
    """The lines that moved money for an instruction."""
    return [(e, line) for e, line in told(view) if line.get("instruction_id") == instruction]


def asked(view: View, step: str) -> Line:
    """What a step gave to the bank."""
    body = json.loads(view.step(f"step.{step}").request_body or "{}")
    return body if isinstance(body, dict) else {}


def account(view: View, name: str) -> str:
    """An account by the scenario's name for it."""
    return known(view.step("step.observe-last"), name)
