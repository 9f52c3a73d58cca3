"""Receiving: verified over the raw bytes, handled once, older events do not overwrite newer ones."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from offcampus_sdk import Key, models
from offcampus_sdk.signing import sign_event
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.webhooks import Dispatcher, Receiver

URL = "http://127.0.0.1:9/webhooks"


def event(id_suffix: str, sequence: int = 1, kind: str = "order.paid") -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"evt_{id_suffix:0>26}", "source": "https://platform.example",
        "type": f"cn.offcampus.{kind}.v1", "subject": "ord_1", "time": "2026-01-01T00:00:00+08:00",
        "datacontenttype": "application/json", "sequence": str(sequence),
        "data": {"id": "ord_1", "version": sequence, "link": "/v1/orders/ord_1"},
    }  # fmt: skip


def signed(
    key: Key, document: dict[str, Any], *, url: str = URL, created: float | None = None
) -> tuple[dict[str, str], bytes]:
    body = json.dumps(document).encode()
    return sign_event(key, url, document["id"], body, int(time.time() if created is None else created)), body


class World:
    def __init__(self, folder: Path) -> None:
        self.key, self.handled, self.fetches = Key.generate(), [], 0
        self.receiver = Receiver(URL, self.jwks, folder / "hooks.db", self.handled.append)
        self.handled: list[models.Event]

    def jwks(self) -> list[dict[str, Any]]:
        self.fetches += 1
        return [{**self.key.public_jwk(), "kid": self.key.id}]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_each_event_is_handled_once(world: World) -> None:
    """The same delivery three times: taken three times, handled once."""
    delivery = signed(world.key, event("1"))
    assert [world.receiver.receive(*delivery).status for _ in range(3)] == [204, 204, 204]
    assert len(world.handled) == 1


def test_an_older_event_is_taken_and_left_alone(world: World) -> None:
    """Sequence 2 before sequence 1: the older one is not handled any more."""
    for number, sequence in (("1", 2), ("2", 1), ("3", 3)):
        assert world.receiver.receive(*signed(world.key, event(number, sequence))).status == 204
    assert [item.sequence for item in world.handled] == ["2", "3"]


@pytest.mark.parametrize("wrong", ["body", "stale", "future", "elsewhere", "stranger", "unsigned", "serialised anew"])
def test_wrong_deliveries_are_refused(world: World, wrong: str) -> None:
    """Each is answered 401 and nothing is handled."""
    now, document = time.time(), event("1")
    stranger = Key.generate()
    headers, body = {
        "body": lambda: (signed(world.key, document)[0], json.dumps(event("2")).encode()),
        "stale": lambda: signed(world.key, document, created=now - 301),
        "future": lambda: signed(world.key, document, created=now + 400),
        "elsewhere": lambda: signed(world.key, document, url="http://other.example/webhooks"),
        "stranger": lambda: signed(stranger, document),
        "unsigned": lambda: ({}, json.dumps(document).encode()),
        "serialised anew": lambda: (signed(world.key, document)[0], json.dumps(document, indent=1).encode()),
    }[wrong]()
    assert world.receiver.receive(headers, body).status == 401
    assert world.handled == []


def test_unknown_keys_are_fetched_at_most_once_a_minute(world: World) -> None:
    """A storm of strangers makes one request for keys."""
    for number in range(5):
        world.receiver.receive(*signed(Key.generate(), event(str(number))))
    assert world.fetches == 1


def test_an_exception_means_not_handled(tmp_path: Path) -> None:
    """What the handler could not do comes again and is handled then."""
    world = World(tmp_path)
    failing = [True]

    def handle(item: models.Event) -> None:
        if failing:
            raise OSError("disk full")
        world.handled.append(item)

    receiver = Receiver(URL, world.jwks, tmp_path / "other.db", handle)
    delivery = signed(world.key, event("1"))
    with pytest.raises(OSError, match="disk full"):
        receiver.receive(*delivery)
    failing.clear()
    assert receiver.receive(*delivery).status == 204
    assert len(world.handled) == 1


def test_kinds_are_handed_to_who_asked_for_them(tmp_path: Path) -> None:
    """By name, by resource, all of them; what nobody asked for is left alone."""
    world, seen = World(tmp_path), []
    events = Dispatcher()
    events.on("order.paid")(lambda item: seen.append(("paid", item.id)))
    events.on("refund.*", "order.closed")(lambda item: seen.append(("money", item.id)))
    events.on("*")(lambda item: seen.append(("all", item.id)))
    receiver = Receiver(URL, world.jwks, tmp_path / "typed.db", events)
    kinds = ("order.paid", "refund.paid", "pupil.created")
    for number, kind in enumerate(kinds, start=1):
        assert receiver.receive(*signed(world.key, event(str(number), number, kind))).status == 204
    assert [what for what, _ in seen] == ["paid", "all", "money", "all", "all"]
    with pytest.raises(ValueError, match=r"resource\.verb"):
        events.on("paid")


def test_what_was_missed_is_caught_up_from_the_feed_once(tmp_path: Path) -> None:
    """Deliveries and feed share the store; the cursor outlives the process; a failing handler loses nothing."""
    platform, handled, failing = FakePlatform(), [], [True]

    def handle(item: models.Event) -> None:
        if failing[0] and len(handled) == 2:
            raise OSError("disk full")
        handled.append(item.id)

    client = platform.client()
    for number in range(4):
        client.transport.call("createOrder", body={**example("order"), "external_id": f"o-{number}"})
    receiver = Receiver(URL, platform.jwks, tmp_path / "hooks.db", handle)
    headers, body = platform.deliveries(URL)[0]
    assert receiver.receive(headers, body).reason == "handled"
    with pytest.raises(OSError, match="disk full"):
        receiver.catch_up(client, limit=2)
    receiver.close()
    failing[0] = False
    again = Receiver(URL, platform.jwks, tmp_path / "hooks.db", handle)
    assert again.catch_up(client, limit=2) == 2
    assert again.catch_up(client) == 0
    assert handled == [item["id"] for item in platform.store.events]
    assert again.forget(time.time() + 1) == 4
    again.close()
