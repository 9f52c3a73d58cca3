"""What a product's test begins with: every scenario is possible, answers by the contract, and the fixtures bring it."""

from __future__ import annotations

import msgspec
import pytest
from offcampus_sdk import AsyncClient, Client
from offcampus_sdk.testing import FakePlatform, scenarios
from offcampus_sdk.testing.documents import example, resource_schema
from offcampus_sdk.testing.fixtures import offcampus_async_client, offcampus_client, offcampus_platform
from offcampus_spec import schemas

__all__ = ["offcampus_async_client", "offcampus_client", "offcampus_platform"]


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_answers_by_the_contract(name: str, offcampus_platform: FakePlatform) -> None:
    """Each resource has the shape that the contract promises, in a state of its code list, and its events."""
    ids = scenarios.play(offcampus_platform, name)
    assert len(set(ids.values())) == len(ids)
    for collection, resources in offcampus_platform.store.resources.items():
        validator = schemas.validator(str(resource_schema(collection)))
        for resource in resources.values():
            assert [error.schema_path for error in validator.iter_errors(resource)] == [], collection
    assert {event["subject"] for event in offcampus_platform.store.events} == set(ids.values())


def test_a_product_reads_what_has_happened(offcampus_platform: FakePlatform, offcampus_client: Client) -> None:
    """The client of the fixture sees the scenario's resources."""
    ids = scenarios.play(offcampus_platform, "lesson-disputed")
    assert offcampus_client.consumption_records.get(ids["record"]).state == "disputed"
    assert offcampus_client.orders.get(ids["order"]).escrow_fen == 480_000


def test_the_asynchronous_fixture(offcampus_platform: FakePlatform, offcampus_async_client: AsyncClient) -> None:
    """The same platform, awaited."""
    import asyncio

    ids = scenarios.play(offcampus_platform, "paid-order")

    async def go() -> str:
        async with offcampus_async_client as client:
            return (await client.orders.get(ids["order"])).state

    assert asyncio.run(go()) == "paid"


def test_a_scenario_that_is_not_there_is_told() -> None:
    """With those that are; and a step of a file has no member that nobody knows."""
    with pytest.raises(KeyError, match="paid-order"):
        scenarios.load("paid")
    with pytest.raises(msgspec.ValidationError):
        msgspec.yaml.decode(b"{title: t, title_zh: t, steps: [{create: orders, colour: red}]}", type=scenarios.Scenario)
    assert example("order")["total_fen"] == 480_000
