"""The fake platform keeps to the contract: its answers, its refusals, its idempotency, its faults."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from offcampus_sdk import (
    Conflict,
    Key,
    NotFound,
    RequestProblem,
    ServerTrouble,
    TransportTrouble,
    UnexpectedAnswer,
    models,
)
from offcampus_sdk.checking import check
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.webhooks import Receiver
from offcampus_spec import schemas
from offcampus_spec.operations import Operation, operations
from offcampus_spec.schemas import compile_schema

CREATIONS = [
    operation for operation in operations().values()
    if operation.idempotency == "key" and "{" not in operation.path and operation.request_schema
]  # fmt: skip
READS = [
    operation for operation in operations().values()
    if operation.method == "GET" and operation.scope is not None and "{" not in operation.path
]  # fmt: skip
ORDER = msgspec.convert(example("order"), type=models.Order)
RECORD = msgspec.convert(example("consumption-record"), type=models.ConsumptionRecord)


def holds(operation: Operation, status: int, body: bytes) -> None:
    """The answer is one that the contract allows."""
    schema = operation.responses[str(status)]
    errors = [] if schema is None else list(compile_schema(schema).iter_errors(msgspec.json.decode(body)))
    assert not errors, f"{operation.operation_id}: {[(e.instance_path, e.schema_path) for e in errors]}"


@pytest.mark.parametrize("operation", CREATIONS, ids=lambda operation: operation.operation_id)
def test_what_is_created_answers_by_the_contract(operation: Operation) -> None:
    """Every kind of resource can be created from the standard's example, read again, listed, and is one on repetition."""
    platform = FakePlatform()
    client = platform.client()
    sent = example(str(operation.item_schema)) if operation.batch else example(str(operation.request_schema))
    body = {"items": [sent]} if operation.batch else sent
    created = client.transport.call(operation.operation_id, body=body)
    holds(operation, created.status, created.body)
    assert created.status == (207 if operation.batch else 201)
    again = client.transport.call(operation.operation_id, body=body)
    holds(operation, again.status, again.body)
    if "external_id" in sent:
        assert platform.store.effects == {sent["external_id"]: 1}


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.operation_id)
def test_an_empty_platform_answers_lists_by_the_contract(operation: Operation) -> None:
    """A list of nothing is a list."""
    answer = FakePlatform().client().transport.call(operation.operation_id)
    holds(operation, answer.status, answer.body)


def test_what_a_platform_hides_the_fake_hides() -> None:
    """A pupil's name and identity number are not in the answer."""
    pupil = example("pupil")
    answer = FakePlatform().client().transport.call("registerPupil", body=pupil)
    assert pupil["id_number"].encode() not in answer.body
    assert pupil["name"].encode() not in answer.body


def test_a_broken_body_is_refused_where_it_breaks() -> None:
    """The place is named, what was sent is not."""
    client = FakePlatform().client()
    with pytest.raises(RequestProblem) as caught:
        client.transport.call("createOrder", body={**example("order"), "total_fen": "4800.00"})
    assert caught.value.code == "schema.invalid"
    assert [violation["pointer"] for violation in caught.value.violations] == ["/total_fen"]
    assert "4800.00" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"total_fen": None}, {"colour": "red"}, {"charge_method": "by_moon"}, {"renewal": 1}]
)
def test_the_fake_judges_as_the_check_before_sending_does(change: dict[str, Any]) -> None:
    """One judgement of a body for both: the same code, the same places, the same kinds of mistake."""
    body = {**example("order"), **change}
    with pytest.raises(RequestProblem) as caught:
        FakePlatform().client().transport.call("createOrder", body=body)
    verdict = check("createOrder", body)
    assert caught.value.code == verdict.code
    assert [(v["pointer"], v["code"]) for v in caught.value.violations] == [
        (v.pointer, v.code) for v in verdict.violations
    ]


def test_keys_and_own_references_have_one_effect() -> None:
    """Same key, same answer; same key and another body, refused; same reference and another content, refused."""
    platform = FakePlatform()
    client = platform.client()
    first = client.orders.create(ORDER, key="k" * 24)
    assert client.orders.create(ORDER, key="k" * 24).id == first.id
    other = msgspec.structs.replace(ORDER, total_fen=ORDER.total_fen + 1)
    with pytest.raises(RequestProblem) as reused:
        client.orders.create(other, key="k" * 24)
    assert reused.value.code == "idempotency.key_reused"
    with pytest.raises(Conflict) as exists:
        client.orders.create(other)
    assert exists.value.code == "resource.exists"


def test_versions_guard_changes() -> None:
    """A change based on an old version is refused; on the current one it is made and told as an event."""
    platform = FakePlatform()
    client = platform.client()
    order = client.orders.create(ORDER)
    platform.pay(order.id)
    with pytest.raises(Conflict) as stale:
        client.orders.cancel(order)
    assert stale.value.code == "concurrency.stale"
    assert client.orders.cancel(client.orders.get(order.id)).state == "cancelled"
    assert [event.type.split(".")[3] for event in client.events.list().items] == ["created", "paid", "cancelled"]
    with pytest.raises(NotFound):
        client.orders.get("ord_01hq5z8w9mabcdefghjkmnpqrs")


def test_pages_follow_the_order_of_creation_under_insertion() -> None:
    """Nothing is lost or doubled when records arrive while one reads."""
    platform = FakePlatform()
    client = platform.client()
    for number in range(5):
        client.orders.create(msgspec.structs.replace(ORDER, external_id=f"o-{number}"))
    seen = []
    for page in client.orders.list(limit=2).pages():
        seen += [order.external_id for order in page.items]
        if len(seen) == 2:
            client.orders.create(msgspec.structs.replace(ORDER, external_id="o-late"))
    assert seen == ["o-0", "o-1", "o-2", "o-3", "o-4", "o-late"]


@pytest.mark.parametrize("kind", ["lost", "unreached", "busy", "error", "limited", "in_progress", "token"])
def test_faults_that_pass_are_overcome(kind: Any) -> None:
    """The client comes through, and there is one effect."""
    platform = FakePlatform()
    platform.fault("createOrder", kind)
    assert platform.client().orders.create(ORDER).external_id == ORDER.external_id
    assert platform.store.effects == {ORDER.external_id: 1}
    assert platform.faults.happened == [("createOrder", kind)]


def test_faults_that_last_are_told() -> None:
    """Each in its own way."""
    platform = FakePlatform()
    client = platform.client()
    platform.fault("createOrder", "busy", times=99)
    with pytest.raises(ServerTrouble):
        client.orders.create(ORDER)
    platform = FakePlatform()
    platform.fault("createOrder", "garbage")
    with pytest.raises(UnexpectedAnswer):
        platform.client().orders.create(ORDER)
    platform = FakePlatform()
    platform.down_until = platform.now() + 3600
    with pytest.raises(TransportTrouble):
        platform.client().orders.create(ORDER)
    platform.fault("reportConsumption", "refuse", code="consumption.exceeds_balance", items=[1])
    platform.down_until = 0
    records = [msgspec.structs.replace(RECORD, external_id=f"c-{number}") for number in range(3)]
    result = platform.client().consumption_records.report(records)
    assert [entry.outcome for entry in result.results] == ["accepted", "refused", "accepted"]
    with pytest.raises(ValueError, match="no fault"):
        platform.fault("*", "sulks")  # type: ignore[arg-type]


def test_a_stranger_is_refused() -> None:
    """Another key signs: the signature does not hold, and nothing is stored."""
    platform = FakePlatform()
    client = platform.client()
    client.transport._ring.replace([Key.generate()])
    with pytest.raises(Exception, match="signature"):
        client.orders.create(ORDER)
    assert platform.store.resources == {}


def test_its_deliveries_pass_a_receiver(tmp_path: Path) -> None:
    """Signed as a platform signs; each handled once."""
    platform, handled = FakePlatform(), []
    order = platform.client().orders.create(ORDER)
    platform.pay(order.id)
    receiver = Receiver("https://vendor.example/hooks", platform.jwks, tmp_path / "hooks.db", handled.append)
    for headers, body in platform.deliveries("https://vendor.example/hooks") * 2:
        assert receiver.receive(headers, body).status == 204
    assert [event.type for event in handled] == ["cn.offcampus.order.created.v1", "cn.offcampus.order.paid.v1"]
    for event in platform.store.events:
        assert schemas.validator("event").is_valid(event)


def test_the_asynchronous_client_meets_the_same_platform() -> None:
    """One platform for both kinds of product."""

    async def go() -> list[str]:
        async with FakePlatform().async_client() as client:
            await client.orders.create(ORDER)
            return [order.external_id async for order in client.orders.list()]

    assert asyncio.run(go()) == [ORDER.external_id]
