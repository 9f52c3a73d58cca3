"""The server is the contract's: every operation has one handler, or it does not start."""

from __future__ import annotations

from typing import Any

import pytest
from offcampus_server.kernel.contract import ContractGap, Handlers, bind
from offcampus_server.registry import bound_operations
from offcampus_spec.operations import operations
from offcampus_spec.security import roles
from world import World, problem


def complete() -> Handlers:
    handlers = Handlers()
    for name in operations():
        handlers(name)(lambda call, work: None)  # type: ignore[arg-type, return-value]
    return handlers


def test_gaps_surplus_and_doubles_are_refused_by_name() -> None:
    """What is missing, too much, or there twice is named."""
    bind([complete()])
    missing = complete()
    del missing.by_operation["createOrder"]
    with pytest.raises(ContractGap, match="createOrder"):
        bind([missing])
    surplus = complete()
    surplus("sellEverything")(lambda call, work: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(ContractGap, match="sellEverything"):
        bind([surplus])
    twice = Handlers()
    twice("createOrder")(lambda call, work: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(ContractGap, match="createOrder"):
        bind([complete(), twice])


def test_the_server_serves_the_whole_contract(shared_world: World) -> None:
    """No operation more and none less."""
    assert bound_operations(shared_world.platform.keyring).keys() == operations().keys()


ID = "0" * 26
PREFIX = {"institution_id": "ins", "campus_id": "cmp", "staff_id": "stf", "material_id": "mat", "course_id": "crs",
          "class_id": "cls", "lesson_id": "les", "pupil_id": "pup", "contract_id": "ctr", "order_id": "ord",
          "payment_id": "pay", "account_id": "cac", "difference_id": "dif", "instruction_id": "cin",
          "consumption_record_id": "con",
          "refund_id": "rfd", "subscription_id": "sub", "decision_id": "dec", "warning_id": "wrn", "risk_assessment_id": "ras",
          "bank_id": "pty", "money_proposal_id": "mpr"}  # fmt: skip
ROLES = {"vendor": "institution_system", "bank": "bank", "guardian_app": "guardian_app", "authority": "authority"}


def address(path: str) -> str:
    for name, prefix in PREFIX.items():
        path = path.replace(f"{{{name}}}", f"{prefix}_{ID}")
    return path.replace("{statement_on}", "2026-01-01")


def call(world: World, party: str, operation: Any) -> Any:
    path = address(operation.path)
    if operation.method == "GET":
        return world.parties[party].get(path)
    media = {"Content-Type": operation.request_media_type} if operation.request_media_type else {}
    return world.parties[party].write(operation.method, path, {}, if_match=1, headers=media)


SCOPED = [operation for operation in operations().values() if operation.scope is not None]


@pytest.mark.parametrize("party", ROLES)
@pytest.mark.parametrize("operation", SCOPED, ids=lambda operation: operation.operation_id)
def test_role_by_operation(shared_world: World, party: str, operation: Any) -> None:
    """Without the scope 403 before anything else is looked at; with it a foreign resource is 404, and never a 500."""
    answer = call(shared_world, party, operation)
    if operation.scope not in roles()[ROLES[party]]:
        problem(answer, 403, "auth.scope")
        return
    assert answer.status_code < 500, answer.get_data(as_text=True)
    assert answer.status_code != 403
    if operation.method == "GET" and "{" in operation.path:
        problem(answer, 404, "resource.not_found")


@pytest.mark.parametrize("operation", SCOPED, ids=lambda operation: operation.operation_id)
def test_nothing_without_a_token(shared_world: World, operation: Any) -> None:
    """Every scoped operation refuses a caller without token."""
    answer = shared_world.http.open(address(operation.path), method=operation.method, json={})
    problem(answer, 401, "auth.token_missing")
