"""What goes over the wire: keys kept over retries, fresh signatures, fresh assertions, errors by family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from fake_platform import FakePlatform, problem
from offcampus_sdk import (
    AuthProblem,
    Client,
    Conflict,
    Key,
    NotFound,
    RequestProblem,
    RuleRefused,
    ServerTrouble,
    TransportTrouble,
    models,
)
from offcampus_sdk.retries import RetryPolicy

CAMPUS = {
    "id": "cmp_01hq5z8w9mabcdefghjkmnpqrs", "version": 1, "created_at": "2026-01-01T00:00:00+08:00",
    "updated_at": "2026-01-01T00:00:00+08:00", "external_id": "c1", "institution_id": "ins_01hq5z8w9mabcdefghjkmnpqrs",
    "name": "本部", "region_code": "110105", "address": "某路一号", "building_area_m2": 300, "capacity_pupils": 80,
    "a_member_of_tomorrow": True,
}  # fmt: skip
SENT = models.Campus(
    external_id="c1", institution_id="ins_01hq5z8w9mabcdefghjkmnpqrs", name="本部", region_code="110105",
    address="某路一号", building_area_m2=300, capacity_pupils=80,
)  # fmt: skip


def client(platform: Any, **policy: Any) -> Client:
    made = Client(
        "https://platform.example", "pty_1", Key.generate(), http=platform.transport(),
        policy=RetryPolicy(**{"first_wait_s": 0.0, "longest_wait_s": 0.0, **policy}),
    )  # fmt: skip
    made.transport.sleep = lambda _: None
    return made


@pytest.mark.parametrize(
    "trouble",
    [httpx2.ReadTimeout("lost"), httpx2.ConnectError("down"), problem(503, "server.busy"), problem(500, "server.error"),
     problem(429, "rate.limited"), problem(409, "idempotency.in_progress")],
    ids=["lost", "down", "503", "500", "429", "in progress"],
)  # fmt: skip
def test_a_retry_keeps_key_and_body_and_signs_anew(trouble: Any) -> None:
    """After trouble the same request comes again: one key, one body, another signature."""
    platform = FakePlatform([trouble, httpx2.Response(201, json=CAMPUS)])
    assert client(platform).campuses.create(SENT).id == CAMPUS["id"]
    first, second = platform.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.content == second.content
    assert first.headers["signature-input"] != second.headers["signature-input"]


def test_each_token_request_has_an_assertion_of_its_own() -> None:
    """A lost answer of the token endpoint has used up its jti: the next attempt makes another."""
    platform = FakePlatform([httpx2.Response(201, json=CAMPUS)])
    lost: list[Any] = [httpx2.ReadTimeout("lost"), problem(503, "server.busy")]
    fine = httpx2.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": ""})
    platform.token_answers = [*lost, fine]
    client(platform).campuses.create(SENT)
    assert len({assertion["jti"] for assertion in platform.assertions}) == 3
    assert all(assertion["aud"] == "https://platform.example" for assertion in platform.assertions)


def test_a_revoked_token_is_renewed_once() -> None:
    """A 401 makes one new token; a second one is told."""
    platform = FakePlatform([problem(401, "auth.token_invalid"), httpx2.Response(201, json=CAMPUS)])
    assert client(platform).campuses.create(SENT).version == 1
    assert len(platform.assertions) == 2
    with pytest.raises(AuthProblem):
        client(FakePlatform([problem(401, "auth.token_invalid")])).campuses.create(SENT)


def test_a_change_without_a_key_is_not_repeated() -> None:
    """A merge patch has no key: after a lost answer nobody knows, and the caller is told."""
    platform = FakePlatform([httpx2.ReadTimeout("lost")])
    with pytest.raises(TransportTrouble, match="1 attempt"):
        client(platform).transport.call(
            "updateCampus", path={"campus_id": CAMPUS["id"]}, body={"name": "x"}, if_match=1
        )
    assert len(platform.requests) == 1


def test_trouble_that_lasts_is_told_within_the_policy() -> None:
    """After the last attempt the last answer is raised."""
    platform = FakePlatform([problem(503, "server.busy")])
    with pytest.raises(ServerTrouble):
        client(platform, attempts=3).campuses.create(SENT)
    assert len(platform.requests) == 3


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(400, "json.malformed", RequestProblem), (404, "resource.not_found", NotFound), (403, "auth.scope", AuthProblem),
     (409, "resource.state", Conflict), (412, "concurrency.stale", Conflict), (422, "schema.invalid", RequestProblem),
     (422, "rules.refused", RuleRefused)],
)  # fmt: skip
def test_problems_become_errors_by_family(status: int, code: str, kind: type[Exception]) -> None:
    """Whose fault it is decides the class; a refusal is not repeated."""
    platform = FakePlatform([problem(status, code)])
    with pytest.raises(kind):
        client(platform).campuses.create(SENT)
    assert len(platform.requests) == 1


def test_a_printed_error_says_what_to_do_and_not_what_was_sent() -> None:
    """Code, request, place, limit, basis and remedy are shown; what was given is not."""
    violation = {"pointer": "/total_fen", "code": "precharge.amount_exceeded", "given": "SECRET", "allowed": "500000",
                 "requirement": "M-07.3", "citation": "教监管〔2022〕4号", "message_en": "too much"}  # fmt: skip
    platform = FakePlatform([problem(422, "rules.refused", violations=[violation], remedy="Split the course.")])
    with pytest.raises(RuleRefused) as caught:
        client(platform).campuses.create(SENT)
    text = str(caught.value)
    for part in ("rules.refused", "req_1", "/total_fen", "500000", "M-07.3", "教监管〔2022〕4号", "Split the course."):
        assert part in text
    assert "SECRET" not in text


def test_only_what_was_set_is_sent() -> None:
    """A member that was left out is not sent: neither null nor a default."""
    platform = FakePlatform([httpx2.Response(201, json=CAMPUS)])
    client(platform).campuses.create(SENT)
    assert b"lease_until" not in platform.requests[0].content


def test_lists_go_on_to_the_end() -> None:
    """All pages are read; a missing cursor ends them."""
    pages = [httpx2.Response(200, json={"items": [CAMPUS], "next_cursor": "n", "next": "/v1/campuses?cursor=n"}),
             httpx2.Response(200, json={"items": [CAMPUS], "next_cursor": None, "next": None})]  # fmt: skip
    platform = FakePlatform(pages)
    assert len(list(client(platform).campuses.list(external_id="c1"))) == 2
    assert platform.requests[1].url.params["cursor"] == "n"


def test_a_key_never_shows_its_private_part(tmp_path: Path) -> None:
    """Neither printed nor readable by others once saved; saving never overwrites."""
    key = Key.generate()
    private = key.jwk.as_dict(private=True)["d"]
    assert str(private) not in repr(key)
    key.save(tmp_path / "key.json")
    assert (tmp_path / "key.json").stat().st_mode & 0o077 == 0
    assert Key.load(tmp_path / "key.json").id == key.id
    with pytest.raises(FileExistsError):
        key.save(tmp_path / "key.json")
