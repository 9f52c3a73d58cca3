"""The two clients: every operation has its method, both surfaces are alike, and both behave alike on the wire."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fake_platform import FakePlatform, problem
from offcampus_sdk import AsyncClient, Client, Key, RetryPolicy, ServerTrouble, TransportTrouble, models
from offcampus_sdk.async_surface import AsyncSurface
from offcampus_sdk.generation.naming import placed
from offcampus_sdk.group import AsyncGroup, Group
from offcampus_sdk.surface import Surface
from offcampus_spec.operations import operations

CAMPUS = {
    "id": "cmp_01hq5z8w9mabcdefghjkmnpqrs", "version": 3, "created_at": "2026-01-01T00:00:00+08:00",
    "updated_at": "2026-01-01T00:00:00+08:00", "external_id": "c1", "institution_id": "ins_01hq5z8w9mabcdefghjkmnpqrs",
    "name": "本部", "region_code": "110105", "address": "某路一号", "building_area_m2": 300, "capacity_pupils": 80,
}  # fmt: skip
SENT = models.Campus(
    external_id="c1", institution_id="ins_01hq5z8w9mabcdefghjkmnpqrs", name="本部", region_code="110105",
    address="某路一号", building_area_m2=300, capacity_pupils=80,
)  # fmt: skip
QUICK = RetryPolicy(attempts=3, first_wait_s=0.0, longest_wait_s=0.0)


def groups(surface: type[Any]) -> dict[str, type[Any]]:
    """The groups of a surface by attribute."""
    transport: Any = None
    return {name: type(group) for name, group in vars(surface(transport)).items()}


def methods(group: type[Any]) -> dict[str, Callable[..., Any]]:
    return {name: found for name, found in vars(group).items() if inspect.isfunction(found) and name[0] != "_"}


def shape(function: Callable[..., Any]) -> str:
    """A method's arguments and answer, without what makes it asynchronous."""
    return str(inspect.signature(function)).replace("AsyncListing", "Listing")


@pytest.mark.parametrize("operation_id", operations())
def test_every_operation_has_its_method_in_both_clients(operation_id: str) -> None:
    """What the contracts offer, both clients offer; the method names its operation."""
    place = placed(operations()[operation_id])
    if place is None:
        assert operation_id in ("issueToken", "getServerMetadata")
        return
    group, method = place
    for surface in (Surface, AsyncSurface):
        source = inspect.getsource(methods(groups(surface)[group])[method])
        assert f'"{operation_id}"' in source


def test_the_surfaces_are_alike() -> None:
    """Same groups, same methods, same arguments, same answers, same documentation."""
    sync, asynchronous = groups(Surface), groups(AsyncSurface)
    assert sync.keys() == asynchronous.keys()
    for name in sync:
        one, other = methods(sync[name]), methods(asynchronous[name])
        assert one.keys() == other.keys(), name
        for method in one:
            assert shape(one[method]) == shape(other[method]), f"{name}.{method}"
            assert one[method].__doc__ == other[method].__doc__, f"{name}.{method}"
    assert {name for name in vars(Client) if name[0] != "_"} == {name for name in vars(AsyncClient) if name[0] != "_"}
    public = lambda kind: {name for name in vars(kind) if not name.startswith("__")}  # noqa: E731
    assert public(Group) == public(AsyncGroup)


def sync_run(platform: FakePlatform, work: Callable[[Any], Any]) -> Any:
    with Client("https://platform.example", "pty_1", Key.generate(), http=platform.transport(), policy=QUICK) as client:
        found = work(client)
        return list(found) if hasattr(found, "pages") else found


def async_run(platform: FakePlatform, work: Callable[[Any], Any]) -> Any:
    async def go() -> Any:
        async with AsyncClient(
            "https://platform.example",
            "pty_1",
            Key.generate(),
            http=httpx2.MockTransport(platform.handle),
            policy=QUICK,
        ) as client:
            found = work(client)
            return [item async for item in found] if hasattr(found, "pages") else await found

    return asyncio.run(go())


PAGE = {"items": [CAMPUS], "next_cursor": "n"}
LAST = {"items": [CAMPUS], "next_cursor": None}
STORIES: dict[str, tuple[list[Any], Callable[[Any], Any]]] = {
    "create": ([httpx2.Response(201, json=CAMPUS)], lambda client: client.campuses.create(SENT)),
    "create after a lost answer": (
        [httpx2.ReadTimeout("lost"), httpx2.Response(201, json=CAMPUS)], lambda client: client.campuses.create(SENT),
    ),
    "read by id": ([httpx2.Response(200, json=CAMPUS)], lambda client: client.campuses.get(CAMPUS["id"])),
    "list": ([httpx2.Response(200, json=PAGE), httpx2.Response(200, json=LAST)], lambda client: client.campuses.list()),
    "find": ([httpx2.Response(200, json=LAST)], lambda client: client.campuses.find("c1")),
    "change by version": (
        [httpx2.Response(200, json=CAMPUS)],
        lambda client: client.campuses.update(CAMPUS["id"], {"name": "东校区"}, version=3),
    ),
    "new token": (
        [problem(401, "auth.token_invalid"), httpx2.Response(201, json=CAMPUS)],
        lambda client: client.campuses.create(SENT),
    ),
}  # fmt: skip


def seen(request: httpx2.Request) -> tuple[Any, ...]:
    """What of a request must not depend on the client: everything but keys, nonces and times."""
    names = sorted(name for name in request.headers if name in ("content-type", "if-match", "accept-language"))
    covered = re.sub(
        r"(created|expires|keyid|nonce)=(\"[^\"]*\"|\d+)", r"\1", request.headers.get("signature-input", "")
    )
    keyed = "idempotency-key" in request.headers
    return request.method, str(request.url), [(n, request.headers[n]) for n in names], covered, keyed, request.content


@pytest.mark.parametrize("story", STORIES)
def test_both_clients_do_the_same_on_the_wire(story: str) -> None:
    """The same call gives the same requests and the same answer."""
    answers, work = STORIES[story]
    one, other = FakePlatform(list(answers)), FakePlatform(list(answers))
    assert sync_run(one, work) == async_run(other, work)
    assert [seen(request) for request in one.requests] == [seen(request) for request in other.requests]


@pytest.mark.parametrize("trouble", [problem(503, "server.busy"), httpx2.ReadTimeout("lost")], ids=["busy", "lost"])
def test_both_clients_give_up_alike(trouble: Any) -> None:
    """Trouble that lasts is raised after the policy's attempts."""
    for run in (sync_run, async_run):
        platform = FakePlatform([trouble])
        with pytest.raises((ServerTrouble, TransportTrouble)):
            run(platform, lambda client: client.campuses.create(SENT))
        assert len(platform.requests) == 3


def test_a_step_needs_what_was_read() -> None:
    """An id alone tells no version: nothing is sent."""
    platform = FakePlatform([httpx2.Response(200, json=CAMPUS)])
    with pytest.raises(TypeError, match="version="):
        sync_run(platform, lambda client: client.campuses.update(CAMPUS["id"], {"name": "x"}))
    assert platform.requests == []


def test_a_list_goes_on_from_a_cursor() -> None:
    """The cursor of a page, kept, is where the next reading begins."""
    platform = FakePlatform([httpx2.Response(200, json=PAGE), httpx2.Response(200, json=LAST)])
    first = sync_run(platform, lambda client: next(client.campuses.list().pages()))
    assert first.next_cursor == "n"
    sync_run(platform, lambda client: client.campuses.list(cursor=first.next_cursor))
    assert platform.requests[1].url.params["cursor"] == "n"
