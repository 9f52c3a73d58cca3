"""One key, one effect, one answer: on both engines, under races, over crashes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from offcampus_server.kernel.unit_of_work import Work
from world import World, problem


def test_the_answer_is_replayed(world: World) -> None:
    """Same key, same meaning: the first answer with a mark; members in another order mean the same."""
    document = world.institution_document()
    first = world.vendor.post("/v1/institutions", document, key="key-number-1")
    again = world.vendor.post("/v1/institutions", dict(reversed(document.items())), key="key-number-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.headers["ETag"], again.headers["Location"]) == (first.headers["ETag"], first.headers["Location"])
    assert world.count("institutions") == 1


def test_keys_are_scoped_and_bound(world: World) -> None:
    """Another body is 422; another party and another operation are independent; a missing key is 400."""
    document = world.institution_document()
    world.ok(world.vendor.post("/v1/institutions", document, key="key-number-2"))
    other = {**document, "external_id": "other"}
    problem(world.vendor.post("/v1/institutions", other, key="key-number-2"), 422, "idempotency.key_reused")
    world.ok(world.rival.post("/v1/institutions", world.institution_document(), key="key-number-2"))
    problem(world.vendor.post("/v1/institutions", document, key=None), 400, "idempotency.key_missing")
    problem(world.vendor.post("/v1/institutions", document, key="short"), 400, "request.header")


def test_a_refusal_binds_nothing(world: World) -> None:
    """What changed nothing may be mended and sent under the same key."""
    document = world.institution_document()
    problem(world.vendor.post("/v1/institutions", {**document, "uscc": "x"}, key="key-number-3"), 422, "schema.invalid")
    assert world.vendor.post("/v1/institutions", document, key="key-number-3").status_code == 201


def test_own_references_are_a_second_net(world: World) -> None:
    """Without the key, the same external_id with the same content is the same; with another it is refused."""
    document = world.institution_document()
    first = world.vendor.post("/v1/institutions", document)
    again = world.vendor.post("/v1/institutions", document)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    problem(world.vendor.post("/v1/institutions", {**document, "name": "x"}), 409, "resource.exists", "/external_id")


def test_twenty_at_once_have_one_effect(world: World) -> None:
    """A race for one new key: one row, and every answer is the first one or says that it is still running."""
    document, answers = world.institution_document(), []
    start = threading.Barrier(20)

    def race() -> None:
        client = world.platform_client("vendor")
        start.wait()
        answers.append(client.post("/v1/institutions", document, key="key-of-the-race"))

    threads = [threading.Thread(target=race) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.count("institutions") == 1
    bodies = {str(answer.json["id"]) for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    others = {(answer.status_code, answer.json["code"]) for answer in answers if answer.status_code != 201}
    assert others <= {(409, "idempotency.in_progress"), (503, "server.busy")}


def test_a_crash_before_the_commit_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between claim and commit: no row, no key, no event; the retry completes."""
    document = world.institution_document()
    events = world.count("events")

    def crash(self: Work) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Work, "flush", crash)
        with pytest.raises(KeyboardInterrupt):
            world.vendor.post("/v1/institutions", document, key="key-of-the-crash")
    assert (world.count("institutions"), world.count("idempotency_keys"), world.count("events")) == (0, 0, events)
    assert world.vendor.post("/v1/institutions", document, key="key-of-the-crash").status_code == 201


def test_event_and_state_are_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the outbox cannot be written, nothing else is."""
    from offcampus_server.kernel import outbox

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no outbox")

    monkeypatch.setattr(outbox, "row", broken)
    answer = world.vendor.post("/v1/institutions", world.institution_document())
    problem(answer, 500, "server.error")
    assert world.count("institutions") == 0
