"""Where the plan plays: one institution, a class of eighty equal lessons in ninety days, families, two accounts.

Smaller and plainer than the simulation's schools, so that a pure model of an order stays one that can be read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.keyring import generate
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.parties import service as parties
from offcampus_spec.formats import resident_id_check_digit, uscc_check_character
from simulation.house import START, House

FAMILIES = 8
LESSONS = 80
LESSON_CENTI = 200
EVERY_DAYS = 1
Document = dict[str, Any]

PARTIES = {
    "vendor": ("institution_system", "110105"), "guardian_app": ("guardian_app", "000000"),
    "bank": ("bank", "110105"), "authority": ("authority", "110105"),
}  # fmt: skip


@dataclass(frozen=True)
class Family:
    """A pupil, a guardian and the contract that they signed."""

    pupil_id: str
    guardian_id: str
    contract_id: str


@dataclass
class Town:
    """Identifiers of what stands in the template."""

    parties: dict[str, str] = field(default_factory=dict)
    institution_id: str = ""
    course_id: str = ""
    staff_id: str = ""
    lessons: list[str] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)


def lesson_starts(number: int) -> datetime:
    """Lesson 0 on the second day, then every day at ten."""
    return (START + timedelta(days=1 + number * EVERY_DAYS)).replace(hour=10)


def build(house: House) -> Town:
    """Fill an empty database and keep it as the template."""
    town = Town()
    for name, (role, region) in PARTIES.items():
        public = [json.loads(json.dumps(generate().as_dict(private=False)))]
        add = partial(_register, name=name, role=role, region_code=region, jwks=public)
        town.parties[name] = house.storage.write(add)
    say = partial(_say, house, town)
    filed = say("vendor", "createInstitution", body=_institution())
    town.institution_id = filed["id"]
    say("authority", "approveInstitution", {}, filed["version"], institution_id=filed["id"])
    town.staff_id = say("vendor", "createStaff", body=_staff(town))["id"]
    course = say("vendor", "createCourse", body=_course(town))
    town.course_id = course["id"]
    say("authority", "approveCourse", {}, course["version"], course_id=course["id"])
    school_class = {
        "external_id": "cls", "institution_id": town.institution_id, "course_id": course["id"], "title": "班",
        "teacher_ids": [town.staff_id], "size_max": 12,
    }  # fmt: skip
    class_id = say("vendor", "createClass", body=school_class)["id"]
    lessons = {"items": [_lesson(town, class_id, number) for number in range(LESSONS)]}
    town.lessons = [result["id"] for result in say("vendor", "scheduleLessons", body=lessons)["results"]]
    for number in range(FAMILIES):
        town.families.append(_family(town, say, number))
    for number in range(2):
        account = {
            "external_id": f"cac{number}", "institution_id": town.institution_id,
            "account_digest": "sha-256:" + "0" * 64, "account_tail": f"000{number}", "agreement_number": "1",
            "opened_on": "2026-08-01", "purpose": "custody",
        }  # fmt: skip
        town.accounts.append(say("bank", "openCustodyAccount", body=account)["id"])
    house.disk.keep()
    return town


def _register(work: Work, **party: Any) -> str:
    return parties.register(work.connection, work.now, **party)


def _say(
    house: House, town: Town, who: str, operation: str, body: Any = None, if_match: int | None = None, **path: str
) -> Any:
    house.requests += 1
    return house.serve(town.parties[who], operation, path, body, f"town-{house.requests:06}", if_match).body


def _family(town: Town, say: Any, number: int) -> Family:
    body = f"11010520160501{number:03d}"
    pupil = {
        "external_id": f"pup{number}", "institution_id": town.institution_id, "name": "古丽·𠮷娜",
        "id_type": "resident_id", "id_number": body + resident_id_check_digit(body), "born_on": "2016-05-01",
        "grade": "primary_4",
        "guardians": [{"external_id": "g", "name": "艾比布力·𠮷", "relation": "father", "phone": "13900000007"}],
        "consent": {"given": True, "given_on": "2026-09-01", "text_version": "1"},
    }  # fmt: skip
    registered = say("vendor", "registerPupil", body=pupil)
    guardian_id = registered["guardians"][0]["id"]
    contract = {
        "external_id": f"ctr{number}", "institution_id": town.institution_id, "pupil_id": registered["id"],
        "guardian_id": guardian_id, "course_id": town.course_id, "template": "GF-2021-2604", "number": str(number),
        "signed_on": "2026-09-06", "gift_hours_policy": ("pro_rata", "paid_first")[number % 2],
        "document_digest": "sha-256:" + "0" * 64, "supervision": "custody",
    }  # fmt: skip
    return Family(registered["id"], guardian_id, say("vendor", "createContract", body=contract)["id"])


def _institution() -> Document:
    body = "52110105000000001"
    return {
        "external_id": "ins", "name": "试讲美术培训中心", "uscc": body + uscc_check_character(body),
        "region_code": "110105", "delivery": "offline", "sectors": ["art_culture"], "stages": ["compulsory"],
        "for_profit": True,
        "qualification": {
            "credentials": [{"type": "school_licence", "number": "x", "issuer": "某区", "valid_from": "2025-01-01"}],
            "legal_person": {"kind": "enterprise", "certificate_number": "1", "representative_name": "甄试"},
        },
        "premises": [{"campus_external_id": "c", "tenure": "owned", "building_area_m2": 300,
                      "fire": {"checked_on": "2026-01-01"}}],
        "party_building": {"organisation": False}, "materials_summary": {"count": 0},
        "staff_summary": {"teaching": 1, "research": 0, "other": 0}, "courses_summary": {"planned": 1},
        "fund_supervision": {"mode": "custody", "payment_channels": ["wechat", "bank_card"]},
    }  # fmt: skip


def _staff(town: Town) -> Document:
    body = "11010519900101001"
    return {
        "external_id": "stf", "institution_id": town.institution_id, "name": "贾老师", "id_type": "resident_id",
        "id_number": body + resident_id_check_digit(body), "role": "teaching", "full_time": True,
        "clearance": {"checked_on": "2026-01-01", "result": "clear", "reference": "q"},
    }  # fmt: skip


def _course(town: Town) -> Document:
    return {
        "external_id": "crs", "institution_id": town.institution_id, "title": "素描", "sector": "art_culture",
        "subject": "fine_arts", "stages": ["compulsory"], "grades": ["primary_4"], "delivery": "offline",
        "class_size_max": 12, "class_hours_centi": 4000, "minutes_per_class_hour": 45, "lesson_minutes": 90,
        "gift_hours_centi": 0, "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 480_000}],
        "starts_on": START.date().isoformat(), "ends_on": (START.date() + timedelta(days=85)).isoformat(),
        "charge_method": "by_hours",
    }  # fmt: skip


def _lesson(town: Town, class_id: str, number: int) -> Document:
    starts = lesson_starts(number)
    return {
        "external_id": f"les{number}", "institution_id": town.institution_id, "class_id": class_id,
        "starts_at": rfc3339(starts), "ends_at": rfc3339(starts + timedelta(minutes=90)),
        "class_hours_centi": LESSON_CENTI, "teacher_id": town.staff_id, "room": "101",
    }  # fmt: skip


def day(moment: datetime, offset: int = 0) -> str:
    """A calendar day."""
    found: date = moment.date() + timedelta(days=offset)
    return found.isoformat()
