"""What was filed can be read again, one by one and as a list; returned files say why; subscriptions end."""

from __future__ import annotations

from typing import Any

import pytest
from world import ISSUER, World, problem


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One world for the module: a class with a reported lesson, a campus, and a material."""
    from world import make_world

    made = make_world(tmp_path_factory.mktemp("reading") / "world", None)
    made.ready()
    made.ids["consumption_record"], *_ = made.report(1)
    institution_id = made.ids["institution"]
    campus = {"external_id": "cmp-1", "institution_id": institution_id, "name": "本部", "region_code": "110105",
              "address": "某路1号", "building_area_m2": 620, "capacity_pupils": 60}  # fmt: skip
    made.ids["campus"] = made.ok(made.vendor.post("/v1/campuses", campus))["id"]
    material = {"external_id": "mat-1", "institution_id": institution_id, "title": "素描入门", "kind": "self_edited",
                "subject": "fine_arts", "stages": ["compulsory"], "filed_on": "2026-06-01",
                "internal_review": {"reviewed_on": "2026-05-12", "reviewer": "教研组"}}  # fmt: skip
    made.ids["material"] = made.ok(made.vendor.post("/v1/materials", material))["id"]
    made.ids["lesson"] = made.ids["lesson.1"]
    yield made
    made.platform.storage.engine.dispose()


READINGS = [
    ("campus", lambda party: party.get("/v1/campuses"), lambda party, id: party.get(f"/v1/campuses/{id}")),
    ("staff", lambda party: party.get("/v1/staff"), lambda party, id: party.get(f"/v1/staff/{id}")),
    ("material", lambda party: party.get("/v1/materials"), lambda party, id: party.get(f"/v1/materials/{id}")),
    ("course", lambda party: party.get("/v1/courses"), lambda party, id: party.get(f"/v1/courses/{id}")),
    ("class", lambda party: party.get("/v1/classes"), lambda party, id: party.get(f"/v1/classes/{id}")),
    ("lesson", lambda party: party.get("/v1/lessons"), lambda party, id: party.get(f"/v1/lessons/{id}")),
    (
        "consumption_record",
        lambda party: party.get("/v1/consumption-records"),
        lambda party, id: party.get(f"/v1/consumption-records/{id}"),
    ),
]


@pytest.mark.parametrize(("kind", "listed", "one"), READINGS, ids=[kind for kind, _, _ in READINGS])
def test_what_was_filed_can_be_read(taught: World, kind: str, listed: Any, one: Any) -> None:
    """The list holds it exactly as it is read alone; another county sees neither; the ETag spares a second reading."""
    id = taught.ids[kind]
    found = one(taught.vendor, id)
    document = taught.ok(found)
    assert document in taught.ok(listed(taught.vendor))["items"]
    assert document["id"] == id
    assert found.headers["ETag"] == f'"{document["version"]}"'


def test_a_returned_institution_says_why_and_may_be_filed_anew(world: World) -> None:
    """Article 6: the reason reaches the institution; mended, it is judged again; not approved before that."""
    filed = world.ok(world.vendor.post("/v1/institutions", world.institution_document()))
    path, reason = f"/v1/institutions/{filed['id']}", {"reason": "消防证明过期"}
    problem(world.vendor.post(f"{path}/return", reason, if_match=1), 403, "auth.scope")
    problem(world.authority.post(f"{path}/return", {}, if_match=1), 422, "schema.invalid")
    returned = world.ok(world.authority.post(f"/v1/institutions/{filed['id']}/return", reason, if_match=1))
    assert (returned["state"], returned["returned_reason"]) == ("returned", "消防证明过期")
    problem(world.authority.post(f"{path}/approval", {}, if_match=returned["version"]), 409, "resource.state")
    mended = world.ok(
        world.vendor.write("PATCH", path, {"name": "试讲美术学校"}, key=None, if_match=returned["version"])
    )
    assert mended["state"] == "submitted"
    assert world.ok(world.authority.post(f"{path}/approval", {}, if_match=mended["version"]))["state"] == "approved"


def test_a_returned_course_says_why(world: World) -> None:
    """The same for courses; it is not on sale."""
    world.open_institution()
    filed = world.ok(world.vendor.post("/v1/courses", world.course_document()))
    returned = world.ok(
        world.authority.post(f"/v1/courses/{filed['id']}/return", {"reason": "超出办学范围"}, if_match=1)
    )
    assert (returned["state"], returned["returned_reason"]) == ("returned", "超出办学范围")


def test_a_subscription_ends(world: World) -> None:
    """It is listed to its owner alone until it is deleted; deleting it twice finds nothing."""
    wanted = {"external_id": "sub-1", "url": "http://127.0.0.1:9/hooks", "event_types": ["cn.offcampus.order.paid.v1"]}
    made = world.ok(world.vendor.post("/v1/subscriptions", wanted))
    assert [item["id"] for item in world.ok(world.vendor.get("/v1/subscriptions"))["items"]] == [made["id"]]
    assert world.ok(world.bank.get("/v1/subscriptions"))["items"] == []
    strangers = world.bank.write("DELETE", f"/v1/subscriptions/{made['id']}", if_match=made["version"])
    problem(strangers, 404, "resource.not_found")
    ended = world.vendor.write("DELETE", f"/v1/subscriptions/{made['id']}", if_match=made["version"])
    assert ended.status_code == 204
    assert world.ok(world.vendor.get("/v1/subscriptions"))["items"] == []


def test_what_a_client_discovers(taught: World) -> None:
    """Issuer, token endpoint, keys and capabilities, without signing in; no private part of any key."""
    metadata = taught.http.get("/.well-known/oauth-authorization-server").json
    assert metadata["issuer"] == ISSUER
    assert metadata["token_endpoint"] == f"{ISSUER}/v1/token"
    keys = taught.http.get("/.well-known/jwks.json").json["keys"]
    assert keys
    assert all(key["kty"] == "OKP" and "d" not in key for key in keys)
    assert taught.http.get("/v1/capabilities").status_code == 200
