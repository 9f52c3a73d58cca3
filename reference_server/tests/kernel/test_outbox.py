"""Events: none lost behind a writer that commits late, in order, seen only by whom they concern."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from offcampus_server.kernel import outbox
from offcampus_server.kernel.unit_of_work import Work
from world import World


def emit(work: Work, subject: str, version: int = 1) -> None:
    work.emit("order", "created", subject, None, version, region_code="110105")
    work.flush()


def read_all(world: World, position: outbox.Position) -> tuple[list[str], outbox.Position]:
    with world.platform.storage.reading() as work:
        rows = outbox.after(work.connection, position, 100)
    return [row["subject"] for row in rows], (rows[-1]["xid"], rows[-1]["seq"]) if rows else position


def test_a_late_commit_is_not_skipped(world: World) -> None:
    """Two writers, the first holds its transaction open: a reader that polls meanwhile sees both in the end."""
    storage = world.platform.storage
    _, position = read_all(world, outbox.START)
    opened, finish = threading.Event(), threading.Event()

    def slow(work: Work) -> None:
        emit(work, "ord_slow")
        opened.set()
        finish.wait(10)

    def quick(work: Work) -> None:
        emit(work, "ord_quick")

    first = threading.Thread(target=storage.write, args=(slow,))
    first.start()
    opened.wait(10)
    second = threading.Thread(target=storage.write, args=(quick,))
    second.start()
    if storage.engine.dialect.name == "postgresql":
        second.join(10)  # on SQLite the second writer waits for the first
    seen, position = read_all(world, position)
    assert "ord_slow" not in seen
    finish.set()
    first.join()
    second.join()
    more, _ = read_all(world, position)
    assert sorted(seen + more) == ["ord_quick", "ord_slow"]


def test_events_are_append_only(world: World) -> None:
    """The engine itself refuses to change or delete an event, an audit line, a decision."""
    world.open_institution()
    engine = world.platform.storage.engine
    for statement in ("UPDATE events SET type = 'x'", "DELETE FROM events", "UPDATE audit SET action = 'x'",
                      "DELETE FROM audit"):  # fmt: skip
        with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_everybody_sees_only_what_concerns_them(world: World) -> None:
    """The institution its own, the county its region, the bank what lies with it, another vendor nothing."""
    world.ready()
    feeds = {name: world.ok(world.parties[name].get("/v1/events", limit=500))["items"] for name in world.parties}
    types: dict[str, set[Any]] = {name: {event["type"].split(".")[2] for event in feed} for name, feed in feeds.items()}
    assert feeds["rival"] == []
    assert types["bank"] == {"custody_account", "custody_movement"}
    assert {"institution", "order", "payment"} <= types["vendor"]
    assert len(feeds["authority"]) == len(feeds["province"]) == world.count("events")


def test_no_event_holds_a_personal_datum(world: World) -> None:
    """Names, numbers and phones of the child, the guardian and the teacher are in no event and no audit line."""
    world.ready()
    world.report(1)
    with world.platform.storage.reading() as work:
        text = "".join(str(row) for table in ("events", "audit", "decisions")
                       for row in work.connection.exec_driver_sql(f"SELECT * FROM {table}"))  # fmt: skip
    for canary in ("古丽", "艾比布力", "13900000007", "贾老师", "110105"[:6] + "20160501"):
        assert canary not in text


def test_the_feed_goes_on_from_its_cursor(world: World) -> None:
    """Page by page and type by type, each event once."""
    world.open_class()
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = world.ok(world.vendor.get("/v1/events", limit=3, **after))
        if not page["items"]:
            break
        seen += [event["id"] for event in page["items"]]
        after = {"after": page["next_cursor"]}
    assert len(seen) == len(set(seen)) == len(world.ok(world.vendor.get("/v1/events", limit=500))["items"])
    only = world.ok(world.vendor.get("/v1/events", types="cn.offcampus.course.approved.v1"))["items"]
    assert [event["type"] for event in only] == ["cn.offcampus.course.approved.v1"]
