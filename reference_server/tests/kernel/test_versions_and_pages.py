"""ETags, conditional requests, and pages that lose and repeat nothing."""

from __future__ import annotations

from datetime import timedelta

from world import World, problem


def test_conditional_reads_and_changes(world: World) -> None:
    """304 for the known version, 428 without If-Match, 412 with an old one and the current ETag told."""
    id = world.open_institution()
    read = world.vendor.get(f"/v1/institutions/{id}")
    assert (
        world.vendor.get(f"/v1/institutions/{id}", headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    )
    change = {"contact": {"name": "甄试", "phone": "01000000"}}
    patch = {"key": None, "headers": {"Content-Type": "application/merge-patch+json"}}
    problem(world.vendor.write("PATCH", f"/v1/institutions/{id}", change, **patch), 428, "concurrency.if_match_missing")
    for bad in ('W/"2"', "*", "2", '"2", "3"'):
        answer = world.vendor.write("PATCH", f"/v1/institutions/{id}", change, if_match=bad, **patch)
        problem(answer, 400, "request.header")
    updated = world.vendor.write("PATCH", f"/v1/institutions/{id}", change, if_match=read.headers["ETag"], **patch)
    assert updated.status_code == 200
    stale = world.vendor.write("PATCH", f"/v1/institutions/{id}", change, if_match=read.headers["ETag"], **patch)
    problem(stale, 412, "concurrency.stale")
    assert stale.headers["ETag"] == updated.headers["ETag"] != read.headers["ETag"]


def test_absent_and_null_are_two_things(world: World) -> None:
    """A merge patch leaves what it does not name and removes what it nulls; nothing at all is refused."""
    id = world.open_institution(contact={"name": "甄试", "phone": "01000000"})

    def change(body: object, version: int) -> object:
        return world.vendor.write("PATCH", f"/v1/institutions/{id}", body, key=None, if_match=version)

    assert world.ok(change({"party_building": {"organisation": True}}, 2))["contact"]["phone"] == "01000000"
    assert "contact" not in world.ok(change({"contact": None}, 3))
    problem(change({"party_building": None}, 4), 422, "schema.invalid", "/party_building")
    problem(change({}, 4), 422, "schema.invalid")
    problem(change({"uscc": "52110105000000001X"}, 4), 422, "schema.invalid", "/uscc")


def test_pages_are_stable_while_rows_are_added(world: World) -> None:
    """Every row that was there comes once, whatever is added meanwhile, also with equal times."""
    world.open_class()
    start = world.now + timedelta(days=3)
    day = [(start + timedelta(days=n)).replace(hour=10, minute=0, second=0, microsecond=0) for n in range(30)]
    items = [world.lesson_document(1, starts_at=d.isoformat(), ends_at=d.replace(hour=11).isoformat()) for d in day]
    batch = world.ok(world.vendor.post("/v1/lessons/batch", {"items": items}))
    wanted = {result["id"] for result in batch["results"]}
    seen, path, rounds = [], "/v1/lessons?limit=4", 0
    while path:
        page = world.ok(world.vendor.get(path))
        seen += [item["id"] for item in page["items"]]
        path, rounds = page["next"], rounds + 1
        if rounds == 2:
            late = day[-1] + timedelta(days=1)
            more = world.lesson_document(1, starts_at=late.isoformat(), ends_at=late.replace(hour=11).isoformat())
            world.ok(world.vendor.post("/v1/lessons/batch", {"items": [more]}))
    assert len(seen) == len(set(seen))
    assert wanted <= set(seen)


def test_a_cursor_belongs_to_its_query(world: World) -> None:
    """Another filter, another operation, another party: refused."""
    world.open_class()
    page = world.ok(world.vendor.get("/v1/lessons", limit=2))
    cursor = page["next_cursor"]
    problem(world.vendor.get("/v1/lessons", cursor=cursor, class_id=world.ids["class"]), 400, "cursor.mismatch")
    problem(world.rival.get("/v1/lessons", cursor=cursor), 400, "cursor.mismatch")
    problem(world.vendor.get("/v1/courses", cursor=cursor), 400, "cursor.mismatch")
    problem(world.vendor.get("/v1/lessons", cursor=cursor[:-2] + "AA"), 400, "cursor.invalid")
