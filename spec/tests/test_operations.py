"""The operations as objects: complete, unambiguous, and what the bundles say is what the objects say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from offcampus_spec.operations import DOCUMENTS, Operation, load_document, operations, webhooks
from offcampus_spec.problems import problems
from offcampus_spec.requirements import requirements
from offcampus_spec.schemas import compile_schema, validator
from offcampus_spec.security import roles
from openapi_spec_validator import validate

MONEY_AND_EVIDENCE = (
    "createOrder", "createPayment", "requestRefund", "approveRefund", "ruleOnRefund", "reportConsumption", "confirmConsumption",
    "disputeConsumption", "resolveDispute", "executeCustodyInstruction", "failCustodyInstruction",
    "reportCustodyMovements", "submitStatement", "openCustodyAccount",
)  # fmt: skip


def every(**wanted: Any) -> list[Operation]:
    """The operations with these attributes."""
    return [
        operation
        for operation in operations().values()
        if all(getattr(operation, name) == value for name, value in wanted.items())
    ]


def ids(operation: Operation) -> str:
    return operation.operation_id


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_bundle_is_valid_and_stands_alone(name: str) -> None:
    """A vendor's generator gets one file: valid OpenAPI 3.1 with no address of a file left in it."""
    document = load_document(name)
    validate(document)
    assert [reference for reference in _references(document) if not reference.startswith("#/")] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_bundle_holds_what_it_refers_to_and_nothing_else(name: str) -> None:
    """Each local reference leads to a component, and no component is carried for nothing."""
    document = load_document(name)
    referred = set(_references(document))
    held = {f"#/components/{section}/{key}" for section, named in document["components"].items() for key in named}
    schemes = {f"#/components/securitySchemes/{key}" for key in document["components"].get("securitySchemes", {})}
    assert {reference.split("/$defs/")[0] for reference in referred} | schemes == held


def test_bundling_twice_gives_equal_documents_that_share_nothing() -> None:
    """A caller may change its bundle without harm to the next caller."""
    first, second = load_document("public"), load_document("public")
    assert first == second
    first["paths"].clear()
    assert load_document("public") == second


def test_an_unknown_document_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        load_document("exchange")


def test_every_operation_of_the_bundles_is_an_object_and_no_other() -> None:
    """Path, method and id agree between the documents and the objects."""
    written = {
        raw["operationId"]: (method.upper(), path)
        for name in DOCUMENTS
        for path, item in load_document(name)["paths"].items()
        for method, raw in item.items()
    }
    assert written == {id: (operation.method, operation.path) for id, operation in operations().items()}


def test_no_two_operations_share_method_and_path() -> None:
    counts = Counter((operation.method, operation.path) for operation in operations().values())
    assert {place: count for place, count in counts.items() if count > 1} == {}


@pytest.mark.parametrize("operation", every(), ids=ids)
def test_every_schema_of_an_operation_compiles(operation: Operation) -> None:
    """What the server compiles at its start: body, parameters, answers; an undefined reference would show here."""
    for parameter in operation.parameters:
        compile_schema(parameter.schema)
    for schema in operation.responses.values():
        if schema is not None:
            compile_schema(schema)
    if operation.request_schema is not None:
        validator(operation.request_schema)
    if operation.item_schema is not None:
        validator(operation.item_schema)


@pytest.mark.parametrize("operation", every(), ids=ids)
def test_problems_are_in_the_catalogue_under_a_status_that_is_documented(operation: Operation) -> None:
    """The server, the SDK and the suite look codes up by these."""
    catalogue = problems()
    for code in (*operation.problems, *operation.item_problems):
        assert catalogue[code].place == "answer"
    assert {str(catalogue[code].status) for code in operation.problems} == {
        status for status in operation.responses if status >= "400"
    }


@pytest.mark.parametrize("operation_id", MONEY_AND_EVIDENCE)
def test_what_moves_money_or_is_evidence_is_signed_and_keyed(operation_id: str) -> None:
    """A repeated or forged request may never move money twice: signature and key, always."""
    operation = operations()[operation_id]
    assert operation.signed
    assert operation.idempotency == "key"
    assert "idempotency.key_reused" in operation.problems
    assert "signature.replayed" in operation.problems


def test_every_write_is_signed_but_for_the_token() -> None:
    """A write without signature would be a hole; the token endpoint has its own proof."""
    unsigned = [o.operation_id for o in operations().values() if o.method != "GET" and not o.signed]
    assert unsigned == ["issueToken"]


def test_reading_needs_no_signature_and_changes_nothing() -> None:
    for operation in every(method="GET"):
        assert not operation.signed
        assert operation.idempotency == "none"
        assert operation.concurrency == "none"
        assert operation.request_schema is None


def test_a_change_of_one_resource_is_guarded_by_its_version() -> None:
    """PATCH, DELETE and transitions by hand take If-Match. The bank's reports do not: they tell what has happened."""
    for operation in operations().values():
        by_hand = operation.method in ("PATCH", "DELETE") or (
            operation.method == "POST" and operation.path.count("/") == 4 and operation.document != "bank"
        )
        if by_hand and not operation.path.endswith("/redeliveries"):
            assert operation.concurrency == "if-match", operation.operation_id


def test_batches_judge_item_by_item() -> None:
    batches = {operation.operation_id: operation for operation in every(batch=True)}
    assert batches.keys() == {"scheduleLessons", "reportConsumption", "reportCustodyMovements"}
    for operation in batches.values():
        assert operation.path.endswith("/batch")
        assert "schema.invalid" in operation.item_problems
        assert "resource.exists" in operation.item_problems
        assert "batch.strict" in operation.problems
    assert batches["reportConsumption"].item_schema == "consumption-record"
    assert "consumption.exceeds_balance" in batches["reportConsumption"].item_problems


def test_a_patch_names_the_schema_that_it_must_lead_to() -> None:
    patches = {
        operation.operation_id: operation.request_schema for operation in operations().values() if operation.patch
    }
    assert patches == {
        "updateInstitution": "institution", "updateCampus": "campus", "updateCourse": "course",
        "changeCustodyAccount": "custody-account",
    }  # fmt: skip


def test_every_operation_can_be_called_by_some_role_and_only_public_ones_by_nobody() -> None:
    held = frozenset().union(*roles().values())
    for operation in operations().values():
        if operation.scope is None:
            assert operation.document == "public"
        else:
            assert operation.scope in held


DUTIES = {
    "institution_system": (
        "createOrder reportConsumption requestRefund",
        "createPayment confirmConsumption approveCourse executeCustodyInstruction",
    ),
    "guardian_app": (
        "createPayment confirmConsumption requestRefund getPupil",
        "createOrder reportConsumption approveInstitution submitStatement",
    ),
    "bank": (
        "reportCustodyMovements executeCustodyInstruction submitStatement",
        "createOrder listPupils confirmConsumption resolveDispute getStaff",
    ),
    "authority": (
        "approveInstitution resolveDispute ruleOnRefund listDecisions getStatement",
        "createOrder createPayment executeCustodyInstruction confirmConsumption",
    ),
}


@pytest.mark.parametrize("role", DUTIES)
def test_separation_of_duties(role: str) -> None:
    """Who reports teaching does not confirm it, who confirms does not pay out, who pays out does not rule."""
    held, (may, may_not) = roles()[role], DUTIES[role]
    assert [id for id in may.split() if operations()[id].scope not in held] == []
    assert [id for id in may_not.split() if operations()[id].scope in held] == []


def test_requirements_that_claim_an_operation_are_claimed_by_it() -> None:
    """The catalogue and the contract cite each other."""
    for requirement in requirements().values():
        for operation_id in requirement.operations:
            assert requirement.id in operations()[operation_id].requirements, (requirement.id, operation_id)


def test_the_webhook_is_the_receivers_contract() -> None:
    """Thin events, one shape by push and by pull; the receiver may unsubscribe by 410."""
    webhook = webhooks()["eventNotification"]
    assert webhook.signed
    assert webhook.request_schema == "event"
    assert webhook.request_media_type == "application/cloudevents+json"
    assert "410" in webhook.responses
    assert "eventNotification" not in operations()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
