"""Rotation without downtime, a clock that is off, and what an observer may see."""

from __future__ import annotations

import logging
import os
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fake_platform import FakePlatform, problem
from offcampus_sdk import AuthProblem, Client, Key, KeyFolder, KeyRing, RetryPolicy
from offcampus_sdk.observation import Observed, open_telemetry

QUICK = RetryPolicy(attempts=3, first_wait_s=0.0, longest_wait_s=0.0)
CAPABILITIES = httpx2.Response(200, json={"items": [], "next_cursor": None})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def client(platform: FakePlatform, keys: Any, **more: Any) -> Client:
    return Client("https://platform.example", "pty_1", keys, http=platform.transport(), policy=QUICK, **more)


def test_a_new_key_is_used_as_soon_as_the_platform_knows_it() -> None:
    """Until then the old one signs; five minutes later the new one is tried again, and taken."""
    clock, new, old = Clock(), Key.generate(), Key.generate()
    platform = FakePlatform([CAPABILITIES])
    granted = httpx2.Response(200, json={"access_token": "t", "expires_in": 300})
    platform.token_answers = [problem(401, "auth.client_assertion"), granted]
    ring = KeyRing([new, old], clock=clock)
    with client(platform, ring) as made:
        list(made.campuses.list())
        assert ring.current.id == old.id
        clock.now = 301
        assert ring.current.id == new.id


def test_with_one_key_a_refusal_is_told() -> None:
    """There is nothing else to try."""
    platform = FakePlatform([CAPABILITIES])
    platform.token_answers = [problem(401, "auth.client_assertion")]
    with client(platform, Key.generate()) as made, pytest.raises(AuthProblem):
        list(made.campuses.list())
    assert len(platform.assertions) == 1


def test_a_folder_of_keys_is_looked_at_again(tmp_path: Path) -> None:
    """A new file rotates the key while the process goes on; the newest file is used first."""
    clock, old, new = Clock(), Key.generate(), Key.generate()
    old.save(tmp_path / "old.json")
    os.utime(tmp_path / "old.json", (1, 1))
    ring = KeyFolder(tmp_path, clock=clock)
    assert ring.current.id == old.id
    new.save(tmp_path / "new.json")
    assert ring.current.id == old.id
    clock.now = 1.5
    assert ring.current.id == new.id
    with pytest.raises(ValueError, match="at least one key"):
        KeyFolder(tmp_path / "nothing")


@pytest.mark.parametrize("code", ["signature.clock_skew", "signature.expired"])
def test_a_clock_that_is_off_is_corrected_once_from_the_platforms(code: str) -> None:
    """The next attempt is signed with the platform's time; the machine's clock is left alone."""
    refused = problem(401, code)
    refused.headers["date"] = formatdate(1_800_000_000, usegmt=True)
    done = httpx2.Response(202, json={"count": 0})
    platform = FakePlatform([refused, done])
    with client(platform, Key.generate()) as made:
        made.transport.now = lambda: 1_800_003_600.0
        made.transport.call("redeliverEvents", path={"subscription_id": "sub_1"}, body={})
    first, second = (request.headers["signature-input"] for request in platform.requests)
    assert "created=1800003600" in first
    assert "created=1800000000" in second


def test_an_observer_sees_attempts_and_nothing_personal(caplog: pytest.LogCaptureFixture) -> None:
    """Operation, attempt, status, code, request id and time: never an address, a body, a token or a key."""
    seen: list[Observed] = []
    platform = FakePlatform(
        [problem(503, "server.busy"), httpx2.Response(200, json={"items": [], "next_cursor": None})]
    )
    caplog.set_level(logging.DEBUG, logger="offcampus_sdk")
    with client(platform, Key.generate(), observer=seen.append) as made:
        list(made.pupils.list(external_id="SECRET-NAME"))
    attempts = [(item.attempt, item.status, item.trouble) for item in seen if item.operation == "listPupils"]
    assert attempts == [(1, 503, "server.busy"), (2, 200, "")]
    assert seen[-2].request_id == "req_1"
    for secret in ("SECRET-NAME", "Bearer", "/v1/"):
        assert secret not in caplog.text
        assert secret not in repr(seen)


def test_open_telemetry_counts_and_times() -> None:
    """One count and one duration an attempt, by operation and outcome."""
    recorded: list[tuple[str, float, dict[str, Any]]] = []

    class Instrument:
        def __init__(self, name: str) -> None:
            self.name = name

        def add(self, amount: float, attributes: dict[str, Any]) -> None:
            recorded.append((self.name, amount, attributes))

        record = add

    class Meter:
        def create_counter(self, name: str, **_: Any) -> Instrument:
            return Instrument(name)

        create_histogram = create_counter

    platform = FakePlatform([CAPABILITIES])
    with client(platform, Key.generate(), observer=open_telemetry(Meter())) as made:
        list(made.campuses.list())
    mine = [
        (name, attributes["status"]) for name, _, attributes in recorded if attributes["operation"] == "listCampuses"
    ]
    assert mine == [("offcampus.client.attempts", 200), ("offcampus.client.duration", 200)]


def test_an_sm2_key_signs_and_hides_itself(tmp_path: Path) -> None:
    """Saved for its owner only, read again, never shown; another kind of key is refused."""
    from offcampus_sdk.sm2 import Sm2Key

    key = Sm2Key.generate()
    key.save(tmp_path / "sm2.json")
    assert Sm2Key.load(tmp_path / "sm2.json").id == key.id
    assert (tmp_path / "sm2.json").stat().st_mode & 0o077 == 0
    assert len(key.sign(b"x")) == 64
    assert key.private.hex() not in repr(key)
    Key.generate().save(tmp_path / "ed.json")
    with pytest.raises(ValueError, match="SM2"):
        Sm2Key.load(tmp_path / "ed.json")
