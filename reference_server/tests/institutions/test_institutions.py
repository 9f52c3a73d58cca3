"""The institution file: who approves what, returns and corrections, own references, what is public."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from offcampus_rules import load_ruleset
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from world import World, problem


def test_the_county_approves_offline_the_province_online(world: World) -> None:
    """Articles 5 and 6: nobody else may, not even the other one."""
    for delivery, competent, other in (("offline", "authority", "province"), ("online", "province", "authority")):
        filed = world.ok(world.vendor.post("/v1/institutions", world.institution_document(delivery=delivery)))
        path = f"/v1/institutions/{filed['id']}/approval"
        problem(world.parties[other].post(path, {}, if_match=1), 403, "auth.region")
        assert world.ok(world.parties[competent].post(path, {}, if_match=1))["state"] == "approved"
        problem(world.parties[competent].post(path, {}, if_match=2), 409, "resource.state")


def test_another_county_sees_nothing(world: World) -> None:
    """An institution of another county does not exist for this one."""
    filed = world.ok(world.vendor.post("/v1/institutions", world.institution_document(region_code="110108")))
    problem(world.authority.get(f"/v1/institutions/{filed['id']}"), 404, "resource.not_found")
    problem(world.authority.post(f"/v1/institutions/{filed['id']}/approval", {}, if_match=1), 404, "resource.not_found")
    assert world.province.get(f"/v1/institutions/{filed['id']}").status_code == 200


def test_returned_corrected_submitted_again(world: World) -> None:
    """Returned with a reason, mended by a patch, it waits for approval again."""
    filed = world.ok(world.vendor.post("/v1/institutions", world.institution_document()))
    path = f"/v1/institutions/{filed['id']}"
    returned = world.ok(world.authority.post(f"{path}/return", {"reason": "缺少消防材料"}, if_match=1))
    assert (returned["state"], returned["returned_reason"]) == ("returned", "缺少消防材料")
    mended = world.ok(world.vendor.write("PATCH", path, {"name": "另名"}, key=None, if_match=2))
    assert (mended["state"], mended["returned_reason"], mended["name"]) == ("submitted", None, "另名")


def test_only_approved_institutions_go_on(world: World) -> None:
    """Courses need an approved institution; campuses and staff belong to the file and do not."""
    world.ids["institution"] = world.ok(world.vendor.post("/v1/institutions", world.institution_document()))["id"]
    problem(world.vendor.post("/v1/courses", world.course_document()), 409, "resource.state")
    world.ok(world.vendor.post("/v1/staff", world.staff_document()))


def test_the_public_sees_approved_institutions_without_persons(world: World) -> None:
    """Found by name and region; no representative, no contact, nothing of what is not approved."""
    id = world.open_institution(name="公示学校", contact={"name": "甄试", "phone": "01012345"})
    waiting = world.ok(world.vendor.post("/v1/institutions", world.institution_document(name="公示学校二")))
    listed = world.http.get("/v1/public/institutions?" + urlencode({"name": "公示", "region_code": "110000"}))
    assert [item["id"] for item in listed.json["items"]] == [id]
    one = world.http.get(f"/v1/public/institutions/{id}")
    assert one.json["name"] == "公示学校"
    assert "甄试" not in one.get_data(as_text=True) + listed.get_data(as_text=True)
    problem(world.http.get(f"/v1/public/institutions/{waiting['id']}"), 404, "resource.not_found")
    for wild in ("%25", "_"):
        assert world.http.get(f"/v1/public/institutions?name={wild}").json["items"] == []


@pytest.mark.parametrize(
    ("extensions", "code", "pointer"),
    [
        ({"x-nowhere": {}}, "extension.unknown", "/extensions/x-nowhere"),
        ({"x-beijing": {"colour": "red"}}, "schema.invalid", "/extensions/x-beijing/colour"),
        ({"beijing": {}}, "schema.invalid", None),
    ],
)
def test_extensions(world: World, extensions: object, code: str, pointer: str | None) -> None:
    """Only registered namespaces, each by the schema of its province's plugin."""
    problem(
        world.vendor.post("/v1/institutions", world.institution_document(extensions=extensions)), 422, code, pointer
    )
    fine = world.institution_document(extensions={"x-beijing": {"release_mode": "per_month"}})
    assert world.vendor.post("/v1/institutions", fine).status_code == 201


def test_what_a_province_publishes_is_shown_and_nothing_else(world: World) -> None:
    """A field marked `x-published` is public; the province's other fields stay between it and the institution."""
    nation = load_ruleset().assembly.plugins[0]
    ruleset = build([nation, read_folder(Path(__file__).parents[3] / "plugins" / "stress")])
    world.platform.storage.rules = lambda: ruleset
    accounts = [{"kind": "custody", "bank_code": "102100099996"}]
    sent = {"x-stress": {"insurance_policy": "AB12345678", "accounts": accounts}}
    id = world.open_institution(extensions=sent)
    shown = world.http.get(f"/v1/public/institutions/{id}").json
    assert shown["disclosures"] == {"x-stress": {"insurance_policy": "AB12345678"}}
    wrong = world.institution_document(extensions={"x-stress": {"insurance_policy": "?"}})
    problem(
        world.vendor.post("/v1/institutions", wrong), 422, "schema.invalid", "/extensions/x-stress/insurance_policy"
    )


def test_staff_are_cleared_known_once_and_masked(world: World) -> None:
    """A hit bars; one person is one; nothing comes back in clear; the sealed name is byte-exact."""
    world.open_institution()
    document = world.staff_document(name="欧阳·𠮷")
    hit = {**document, "clearance": {**document["clearance"], "result": "hit"}}
    body = problem(world.vendor.post("/v1/staff", hit), 422, "rules.refused", "/clearance/result")
    [told] = body["violations"]
    assert (told["code"], told["rule"], "第六十二条" in told["citation"]) == ("staff.barred", "CN-STF-013", True)
    old = {**document, "clearance": {**document["clearance"], "checked_on": world.day(-400)}}
    problem(world.vendor.post("/v1/staff", old), 422, "rules.refused", "/clearance/checked_on")
    made = world.ok(world.vendor.post("/v1/staff", document))
    assert made["name_masked"] == "欧**"
    assert document["id_number"] not in str(made)
    again = {**document, "external_id": "other"}
    problem(world.vendor.post("/v1/staff", again), 409, "resource.exists")
    with world.platform.storage.reading() as work:
        sealed = work.connection.exec_driver_sql("SELECT sealed, document FROM staff").one()
    assert work.vault.open(sealed[0])["name"] == "欧阳·𠮷"
    assert "欧阳" not in str(sealed[1])


@pytest.mark.parametrize("number", ["11010519491231002x", "１1010519491231002X", "11010519491231002 ", "110105194912310021",
                                    "110105491231002", "11010119A003070021"])  # fmt: skip
def test_wrong_numbers_are_told_why(world: World, number: str) -> None:
    """Lower-case x, full width, spaces, a wrong digit, fifteen digits, letters: refused at the number."""
    world.open_institution()
    answer = world.vendor.post("/v1/staff", world.staff_document(id_number=number))
    assert answer.status_code == 422
    assert "/id_number" in [entry.get("pointer") for entry in answer.json["violations"]]
    assert number not in answer.get_data(as_text=True)


@pytest.mark.parametrize("number", ["321119197310306324", "830000199001010012", "11010519491231002X"])
def test_abolished_and_special_areas_are_numbers_too(world: World, number: str) -> None:
    """An area never decides validity."""
    from offcampus_spec.formats import resident_id_fault

    if resident_id_fault(number) is None:
        world.open_institution()
        assert world.vendor.post("/v1/staff", world.staff_document(id_number=number)).status_code == 201
    else:
        pytest.fail(f"{number} should be valid")


def test_materials_need_their_review_or_their_number(world: World) -> None:
    """Self-edited material names its internal review, published one its ISBN."""
    world.open_institution()
    material = {"external_id": "m", "institution_id": world.ids["institution"], "title": "讲义", "kind": "self_edited",
                "subject": "fine_arts", "stages": ["compulsory"]}  # fmt: skip
    problem(world.vendor.post("/v1/materials", material), 422, "schema.invalid", "/internal_review")
    published = {**material, "kind": "published"}
    problem(world.vendor.post("/v1/materials", published), 422, "schema.invalid", "/isbn")
    assert world.vendor.post("/v1/materials", {**published, "isbn": "9787000000000"}).status_code == 201
