"""Delivery: signed, in order, the same id at each attempt; and never to an address that is not public."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

import pytest
from offcampus_server.kernel import webhook_targets
from offcampus_server.kernel.problems import Problem
from offcampus_server.workers import deliver
from world import World, problem


class Receiver:
    """Answers with the statuses it is given, then with 204; remembers what came."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def ids(self) -> list[str]:
        return [body["id"] for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def subscribe(world: World, url: str) -> Any:
    return world.vendor.post("/v1/subscriptions", {"external_id": world.fresh("sub"), "url": url, "event_types": []})


def test_delivered_in_order_and_once(world: World, receiver: Receiver) -> None:
    """What happens after the subscription comes in commit order; a second round brings nothing twice."""
    world.open_institution()
    world.ok(subscribe(world, receiver.url))
    world.open_class()
    assert deliver.run(world.platform) == len(receiver.ids) > 5
    feed = [event["id"] for event in world.ok(world.vendor.get("/v1/events", limit=500))["items"]]
    assert receiver.ids == feed[-len(receiver.ids):]  # fmt: skip
    assert deliver.run(world.platform) == 0


def test_a_failed_delivery_comes_again_signed_anew(world: World, receiver: Receiver) -> None:
    """The same id, another signature; nothing overtakes it."""
    world.ok(subscribe(world, receiver.url))
    world.open_institution()
    receiver.statuses = [500, 302]
    for _ in range(3):
        deliver.run(world.platform)
        world.shift(hours=1)
    assert receiver.ids[0] == receiver.ids[1] == receiver.ids[2]
    signatures = {headers["signature"] for headers, _ in receiver.got[:3]}
    assert len(signatures) == 3
    assert len(receiver.got) > 3


def test_gone_ends_the_subscription(world: World, receiver: Receiver) -> None:
    """410 disables it; redelivery from an event starts it again."""
    sub = world.ok(subscribe(world, receiver.url))
    world.open_institution()
    receiver.statuses = [410]
    deliver.run(world.platform)
    assert world.ok(world.vendor.get(f"/v1/subscriptions/{sub['id']}"))["state"] == "disabled"
    deliver.run(world.platform)
    assert len(receiver.got) == 1
    again = {"from_event_id": receiver.ids[0]}
    assert world.vendor.post(f"/v1/subscriptions/{sub['id']}/redeliveries", again).status_code == 202
    deliver.run(world.platform)
    assert receiver.ids[1] == receiver.ids[0]


def test_five_days_of_failure_end_it(sqlite_world: World, receiver: Receiver) -> None:
    """After that nobody is called any more."""
    world = sqlite_world
    sub = world.ok(subscribe(world, receiver.url))
    world.open_institution()
    receiver.statuses = [500] * 50
    for _ in range(8):
        deliver.run(world.platform)
        world.shift(days=1)
    assert world.ok(world.vendor.get(f"/v1/subscriptions/{sub['id']}"))["state"] == "disabled"


def test_a_worker_whose_lease_has_run_out_stops(world: World, receiver: Receiver) -> None:
    """Another one has taken over meanwhile: the late one neither sends on nor moves the position back."""
    sub = world.ok(subscribe(world, receiver.url))
    world.open_institution()
    send, sent = deliver.send, []

    def slow(*given: Any) -> Any:
        sent.append(given)
        if len(sent) == 1:
            world.shift(minutes=2)
            deliver.run(world.platform)  # the other worker, to its end
        return send(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deliver, "send", slow)
        deliver.run(world.platform)
    ids = list(dict.fromkeys(receiver.ids))
    assert len(ids) > 1
    assert receiver.ids == [*ids, ids[0]]
    feed = world.ok(world.vendor.get("/v1/events", limit=500))["items"]
    assert ids == [event["id"] for event in feed][-len(ids) :]
    assert deliver.run(world.platform) == 0
    assert world.ok(world.vendor.get(f"/v1/subscriptions/{sub['id']}"))["last_failure"] is None


def test_an_endless_answer_holds_nobody(sqlite_world: World) -> None:
    """The status is the answer; what a receiver goes on to say is not waited for."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            over.wait(30)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    over = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        sqlite_world.ok(subscribe(sqlite_world, f"http://127.0.0.1:{server.server_address[1]}/hooks"))
        sqlite_world.open_institution()
        began = time.monotonic()
        assert deliver.run(sqlite_world.platform) > 0
        assert time.monotonic() - began < 10
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_a_subscription_is_its_partys_own(world: World, receiver: Receiver) -> None:
    """Others neither see it nor end it."""
    sub = world.ok(subscribe(world, receiver.url))
    path = f"/v1/subscriptions/{sub['id']}"
    problem(world.rival.get(path), 404, "resource.not_found")
    problem(world.rival.write("DELETE", path, key=None, if_match=1), 404, "resource.not_found")
    assert world.vendor.write("DELETE", path, key=None, if_match=1).status_code == 204
    problem(world.vendor.get(path), 404, "resource.not_found")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0x7f000001", "2130706433", "127.1", "017700000001",
     "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "100.64.0.1", "169.254.169.254", "192.0.0.8", "10.0.0.1", "172.16.0.1",
     "192.168.1.1", "0.0.0.0", "[::]", "[fe80::1]", "[fc00::1]", "224.0.0.1", "255.255.255.255", "localhost",
     "printer.local", "a.internal", "intranet", "198.18.0.1", "[2001:db8::1]", "user@example.com"],
)  # fmt: skip
def test_addresses_that_are_not_public(host: str) -> None:
    """In every spelling, private, local and special addresses are refused."""
    with pytest.raises(Problem):
        webhook_targets.check_url(f"https://{host}/hooks", development=False)


@pytest.mark.parametrize("url", ["https://example.com/hooks", "https://8.8.8.8/", "https://[2606:4700::1111]/x"])
def test_public_addresses(url: str) -> None:
    """Public names and addresses over https are taken; plain http is not."""
    webhook_targets.check_url(url, development=False)
    with pytest.raises(Problem):
        webhook_targets.check_url(url.replace("https", "http"), development=False)


def test_a_name_that_turns_private_is_refused_at_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was public at registration is checked again, every address of it."""
    answers = [[(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]]
    monkeypatch.setattr(webhook_targets.socket, "getaddrinfo", lambda *_, **__: answers[0])
    with pytest.raises(OSError, match="not public"):
        webhook_targets.resolve("example.com", 443, development=False)
