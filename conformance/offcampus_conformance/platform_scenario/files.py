"""What an institution files of itself: the file of Article 11, campuses, staff, training materials."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.families.request import Request
from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.synthetic import Document
from offcampus_conformance.wire import dump


def file_institution(day: Day) -> None:
    """Filed, read, returned, mended, approved; and read by others."""
    document = day.make.institution()
    day.act("createInstitution", "vendor", document, keep="institution", before=lambda sent: _bad_files(day, sent))
    day.act("listInstitutions", "vendor", query={"external_id": document["external_id"]})
    day.act("getInstitution", "vendor")
    before_approval = day.request("listPublicInstitutions", "vendor", query={"name": document["name"]})
    day.probe(before_approval, "public.before_approval")
    day.act("returnInstitution", "authority", {"reason": "消防证明过期"})
    day.probe(_approval(day), "institution.approve_returned", codes=["resource.state"])
    day.act("updateInstitution", "vendor", {"contact": {"name": "甄试", "phone": "01011111111"}})
    fixed = day.request("updateInstitution", "vendor", {"external_id": f"{document['external_id']}-x"})
    day.probe(fixed, "institution.fixed_member", codes=["schema.invalid"], pointer="/external_id")
    day.probe(_approval(day).but(by="far_authority"), "institution.approve_from_afar")
    approved = day.act("approveInstitution", "authority", {})
    if approved.status != 200:
        raise Unfinished(f"op.approveInstitution was answered {approved.status}")
    renamed = day.request("updateInstitution", "vendor", {"name": f"{document['name']}改"})
    day.probe(renamed, "institution.rename_approved", codes=["schema.invalid"], pointer="/name")
    day.act("listPublicInstitutions", "vendor", query={"name": document["name"]})
    day.act("getPublicInstitution", "vendor")
    _file_online(day)
    _file_second(day)


def _approval(day: Day) -> Request:
    return day.request("approveInstitution", "authority", {})


def _file_online(day: Day) -> None:
    """An online institution is the province's to approve, not the county's."""
    document = {
        **day.make.institution("试讲线上学校"),
        "external_id": f"ins-{day.make.tag}-online",
        "delivery": "online",
    }
    filed = day.act("createInstitution", "vendor", document, label="institution.online")
    body = filed.json() or {}
    where = {"institution_id": body.get("id", "ins_" + "0" * 26)}
    day.act("approveInstitution", "authority", {}, label="institution.online_by_county", where=where)


def _file_second(day: Day) -> None:
    """Another institution of the same system, so that lists have more than one entry."""
    document = {**day.make.institution("试讲舞蹈培训中心"), "external_id": f"ins-{day.make.tag}-second"}
    filed = day.act("createInstitution", "vendor", document, label="institution.second")
    where = {"institution_id": (filed.json() or {}).get("id", "ins_" + "0" * 26)}
    day.act("approveInstitution", "authority", {}, label="institution.second_approved", where=where)


def _bad_files(day: Day, sent: Request) -> None:
    """Faults of meaning that a schema's constraints are not about."""
    document = sent.body

    def probe(label: str, code: str, pointer: str, **changes: Any) -> None:
        facts: dict[str, Any] = {"codes": [code], "pointer": pointer, "control": "op.createInstitution"}
        day.probe(sent.but(body={**document, **changes}), f"institution.{label}", **facts)

    digit = document["uscc"][:-1] + ("0" if document["uscc"][-1] != "0" else "1")
    probe("check_digit", "identifier.check_digit", "/uscc", uscc=digit)
    probe("small_letters", "schema.invalid", "/uscc", uscc=document["uscc"].lower().replace("5", "a", 1))
    probe("full_width", "schema.invalid", "/region_code", region_code="１１０１０５")
    probe("line_break", "schema.invalid", "/region_code", region_code=f"{document['region_code']}\n")


def send_malformed(day: Day) -> None:
    """Bodies that only look like JSON of the standard, each wrong in one way."""
    document = {**day.make.institution(), "external_id": f"ins-{day.make.tag}-json"}
    lawful = dump(document)
    area = b'"building_area_m2":320'
    bodies: dict[str, tuple[str, bytes]] = {
        "nan": ("json.number", lawful.replace(b'"for_profit":true', b'"for_profit":NaN')),
        "infinity": ("json.number", lawful.replace(area, b'"building_area_m2":Infinity')),
        "float": ("json.number", lawful.replace(area, area + b".0")),
        "exponent": ("json.number", lawful.replace(area, b'"building_area_m2":3e2')),
        "minus_zero": ("json.number", lawful.replace(area, b'"building_area_m2":-0')),
        "huge": ("json.number", lawful.replace(area, b'"building_area_m2":9007199254740993')),
        "nested_twice": ("json.duplicate_key", lawful.replace(b'"count":1', b'"count":1,"count":1')),
        "utf16": ("json.encoding", lawful.decode().encode("utf-16")),
        "utf32": ("json.encoding", lawful.decode().encode("utf-32-le")),
        "latin": ("json.encoding", lawful.replace("试讲".encode(), b"\xe9\xe8")),
        "comment": ("json.malformed", lawful[:-1] + b"/* */}"),
        "trailing_comma": ("json.malformed", lawful[:-1] + b",}"),
        "two_values": ("json.malformed", lawful + lawful),
        "single_quotes": ("json.malformed", lawful.replace(b'"for_profit"', b"'for_profit'")),
        "control_character": ("json.malformed", lawful.replace("试讲".encode(), b"a\x01b")),
        "escaped_surrogate": ("json.surrogate", lawful.replace(b'"for_profit"', b'"x\\udc00":1,"for_profit"')),
    }
    request = day.request("createInstitution", "vendor", document)
    for name, (code, raw) in bodies.items():
        day.probe(request.but(raw=raw), f"json.{name}", codes=[code])
    listing = day.request("listInstitutions", "vendor", query={"limit": "1"})
    day.probe(
        listing.but(headers={"Accept-Language": "en"}, query=(("zz", "1"),)), "language.en", codes=["request.query"]
    )
    day.probe(
        listing.but(headers={"Accept-Language": "zh-CN"}, query=(("zz", "1"),)), "language.zh", codes=["request.query"]
    )


def file_particulars(day: Day) -> None:
    """Campus, staff and material; a person whom nobody may employ."""
    make, institution = day.make, day.ids["institution"]
    day.act("createCampus", "vendor", make.campus(institution), keep="campus")
    day.act("listCampuses", "vendor", query={"institution_id": institution})
    day.act("getCampus", "vendor")
    day.act("updateCampus", "vendor", {"capacity_pupils": 79})
    second_campus = {**make.campus(institution), "external_id": f"cmp-{make.tag}-2", "name": "分部"}
    day.act("createCampus", "vendor", second_campus, label="campus.second")
    day.act("createStaff", "vendor", make.staff(institution), keep="staff", before=lambda sent: _bad_staff(day, sent))
    second = {**make.staff(institution), "external_id": f"stf-{make.tag}-2", "name": "乙老师"}
    day.act("createStaff", "vendor", second, label="staff.second", keep="staff.2")
    day.act("listStaff", "vendor", query={"institution_id": institution})
    day.act("getStaff", "vendor")
    day.act("createMaterial", "vendor", make.material(institution), keep="material")
    day.act("createMaterial", "vendor", make.material(institution, 2), label="material.second")
    day.act("listMaterials", "vendor", query={"institution_id": institution})
    day.act("getMaterial", "vendor")


def _bad_staff(day: Day, sent: Request) -> None:
    document: Document = sent.body
    barred = {**document["clearance"], "result": "hit"}
    day.probe(sent.but(body={**document, "clearance": barred}), "staff.barred", codes=["rules.refused"])
    number = document["id_number"]
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    day.probe(
        sent.but(body={**document, "id_number": wrong}), "staff.check_digit", codes=["identifier.check_digit"],
        pointer="/id_number",
    )  # fmt: skip
