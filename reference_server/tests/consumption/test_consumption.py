"""Consumption: only what was taught, once; decided once; silence on the working-day calendar; reversals typed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from offcampus_server.consumption.service import confirm_silent
from world import World, problem


def report(world: World, *records: Any, **how: Any) -> list[Any]:
    answer = world.vendor.post("/v1/consumption-records/batch", {"items": list(records)}, **how)
    results: list[Any] = world.ok(answer)["results"]
    return results


def codes(results: list[Any]) -> list[str | None]:
    return [(result.get("problem") or {}).get("code") for result in results]


def test_what_cannot_be_true_is_refused_by_name(world: World) -> None:
    """Each record breaks one thing; the lawful one among them is stored."""
    world.ready()
    future = world.now + timedelta(days=2)
    bad = [
        world.record_document(1, occurred_until=future.isoformat()),
        world.record_document(1, notified_at=future.isoformat()),
        world.record_document(1, occurred_from=world.lesson_at(1, 12)),
        world.record_document(1, class_hours_centi=201),
        world.record_document(1, lesson_id="les_" + "0" * 26),
        world.record_document(1, teacher_id="stf_" + "0" * 26),
        world.record_document(1, order_id="ord_" + "0" * 26),
        world.record_document(1, occurred_from=world.lesson_at(2, 10), occurred_until=world.lesson_at(2, 11)),
    ]
    results = report(world, *bad, world.record_document(1))
    assert codes(results) == [
        "consumption.in_future", "consumption.in_future", "consumption.time_mismatch", "consumption.exceeds_lesson",
        "reference.not_found", "reference.not_found", "reference.not_found", "consumption.time_mismatch", None,
    ]  # fmt: skip
    assert world.order()["consumed_class_hours_centi"] == 200


def test_nothing_before_the_purchase(world: World) -> None:
    """A lesson taught before the order was placed cannot be consumed from it."""
    world.ready()
    world.open_family()
    world.buy(ordered_at=world.lesson_at(3, 9))
    assert codes(report(world, world.record_document(2), world.record_document(4))) == [
        "consumption.before_purchase",
        None,
    ]


def test_one_record_per_lesson_and_order(world: World) -> None:
    """Twice in one batch, twice in two: one record. Another pupil's order has its own record of the same lesson."""
    world.ready()
    first = world.record_document(1)
    assert codes(report(world, first, world.record_document(1))) == [None, "consumption.duplicate"]
    assert codes(report(world, world.record_document(1))) == ["consumption.duplicate"]
    world.open_family()
    world.buy()
    assert codes(report(world, world.record_document(1))) == [None]


def test_a_batch_may_be_sent_again(world: World) -> None:
    """The same records under another key are duplicates with their first ids; changed ones are told apart."""
    world.ready()
    records = [world.record_document(number) for number in (1, 2, 3)]
    first, again = report(world, *records), report(world, *records)
    assert [result["outcome"] for result in again] == ["duplicate"] * 3
    assert [result["id"] for result in again] == [result["id"] for result in first]
    assert codes(report(world, {**records[0], "class_hours_centi": 100})) == ["resource.exists"]
    assert world.order()["consumed_class_hours_centi"] == 600


def test_the_balance_counts_within_the_batch(world: World) -> None:
    """Three hours left, two lessons of two hours: the second is refused, and nothing is dropped silently."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(class_hours_centi=300)
    assert codes(report(world, world.record_document(1), world.record_document(2))) == [
        None,
        "consumption.exceeds_balance",
    ]
    assert world.order()["unconsumed_class_hours_centi"] == 100


def test_an_unpaid_order_is_not_consumed(world: World) -> None:
    """Lessons before payment are arrears, not consumption."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    assert codes(report(world, world.record_document(1))) == ["consumption.order_not_payable"]


def test_another_institutions_order_is_not_there(world: World) -> None:
    """A vendor cannot report for an order that is not its own."""
    world.ready()
    record = world.record_document(1)
    answer = world.rival.post("/v1/consumption-records/batch", {"items": [record]})
    assert codes(world.ok(answer)["results"]) == ["reference.not_found"]


def test_stale_fees_are_no_lessons(world: World) -> None:
    """A clear-out without teacher and lesson is no lesson; as forfeit it needs the guardian's consent."""
    world.ready()
    clear = world.record_document(1)
    for name in ("lesson_id", "teacher_id", "place"):
        del clear[name]
    forfeit = {**clear, "type": "forfeit", "external_id": "forfeit"}
    consented = {**forfeit, "external_id": "consented", "proof": {**clear["proof"], "kind": "guardian_consent"}}
    assert codes(report(world, clear, forfeit, consented)) == ["schema.invalid", "schema.invalid", None]


def test_a_reversal_gives_the_hours_back(world: World) -> None:
    """An undecided record is taken back by a typed record; a confirmed one is not."""
    world.ready()
    [first, second] = world.report(1, 2)

    def reversal(of: str, reference: str) -> dict[str, Any]:
        taken = {**world.record_document(1), "external_id": reference, "type": "reversal", "reverses": of}
        return {name: value for name, value in taken.items() if name not in ("lesson_id", "teacher_id", "place")}

    assert codes(report(world, reversal(first, "r1"))) == [None]
    assert world.order()["consumed_class_hours_centi"] == 200
    world.ok(world.confirm(second))
    assert codes(report(world, reversal(second, "r2"), reversal(first, "r3"))) == [
        "consumption.released",
        "resource.state",
    ]
    assert codes(report(world, world.record_document(1))) == [None], "the lesson may be reported anew"


def deadline(world: World, record_id: str) -> datetime:
    record = world.ok(world.vendor.get(f"/v1/consumption-records/{record_id}"))
    return datetime.fromisoformat(record["confirmation_due_at"])


def sweep(world: World) -> int:
    return world.platform.storage.write(lambda work: confirm_silent(work, 100))


def test_silence_runs_out_after_fifteen_working_days(world: World) -> None:
    """Not a second before: the money moves when the deadline has passed, once."""
    world.ready()
    [record] = world.report(1)
    due = deadline(world, record)
    assert timedelta(days=19) < due - datetime.fromisoformat(world.lesson_at(1, 12)) < timedelta(days=40)
    world.shift(seconds=(due - world.now).total_seconds() - 5)
    assert sweep(world) == 0
    world.shift(seconds=6)
    assert sweep(world) == 1
    assert sweep(world) == 0
    assert world.order()["pending_release_fen"] == 24_000
    read = world.ok(world.vendor.get(f"/v1/consumption-records/{record}"))
    assert read["confirmation"]["by"] == "silence"


def test_a_dispute_in_the_last_second_stands(world: World) -> None:
    """Before the deadline it stops the clock; at the deadline it is too late."""
    world.ready()
    first, second = world.report(1, 2)
    due = deadline(world, first)
    world.shift(seconds=(due - world.now).total_seconds() - 30)
    body = {"reason": "not_taught"}
    world.ok(world.guardian_app.post(f"/v1/consumption-records/{first}/dispute", body, if_match=1))
    world.shift(days=2)
    answer = world.guardian_app.post(f"/v1/consumption-records/{second}/dispute", body, if_match=1)
    problem(answer, 409, "resource.state", "/confirmation_due_at")
    assert sweep(world) == 1
    assert world.ok(world.vendor.get(f"/v1/consumption-records/{first}"))["state"] == "disputed"


@pytest.mark.parametrize(
    ("ruling", "state", "released"), [("uphold_parent", "void", 0), ("uphold_institution", "confirmed", 24_000)]
)
def test_the_authority_decides_a_dispute(world: World, ruling: str, state: str, released: int) -> None:
    """For the family the hours go back, for the institution the money moves; either once."""
    world.ready()
    [record] = world.report(1)
    path = f"/v1/consumption-records/{record}"
    world.ok(world.guardian_app.post(f"{path}/dispute", {"reason": "not_taught", "text": "没有上课"}, if_match=1))
    problem(world.guardian_app.post(f"{path}/confirmation", {}, if_match=2), 409, "resource.state")
    resolved = world.ok(
        world.authority.post(f"{path}/dispute-resolution", {"ruling": ruling, "text": "查实"}, if_match=2)
    )
    assert resolved["state"] == state
    assert world.order()["pending_release_fen"] == released
    problem(
        world.authority.post(f"{path}/dispute-resolution", {"ruling": ruling, "text": "x"}, if_match=3),
        409,
        "resource.state",
    )


def test_confirm_dispute_and_silence_race(world: World) -> None:
    """All at once: exactly one outcome, one release, and the others are told."""
    world.ready()
    [record] = world.report(1)
    world.shift(days=60)
    start, outcomes = threading.Barrier(3), []

    def post(path: str, body: Any) -> None:
        client = world.platform_client("guardian_app")
        start.wait()
        outcomes.append(client.post(f"/v1/consumption-records/{record}/{path}", body, if_match=1).status_code)

    def silence() -> None:
        start.wait()
        try:
            outcomes.append(200 if sweep(world) else 409)
        except Exception:
            outcomes.append(409)

    threads = [threading.Thread(target=post, args=("confirmation", {})), threading.Thread(target=silence),
               threading.Thread(target=post, args=("dispute", {"reason": "not_taught"}))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[0] == 200
    assert outcomes.count(200) == 1
    assert world.order()["pending_release_fen"] == 24_000


def test_two_hundred_silences_with_one_dispute(sqlite_world: World) -> None:
    """Many at a time, resumable: what is disputed stays, all others are confirmed."""
    world = sqlite_world
    world.ready()
    records = world.report(1, 2, 3, 4, 5, 6, 7, 8)
    world.ok(world.guardian_app.post(f"/v1/consumption-records/{records[3]}/dispute", {"reason": "other"}, if_match=1))
    world.shift(days=60)
    done = [world.platform.storage.write(lambda work: confirm_silent(work, 3)) for _ in range(4)]
    assert done == [3, 3, 1, 0]
    assert world.order()["pending_release_fen"] == 24_000 * 7
