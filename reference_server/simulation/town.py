"""Who lives in the simulation: schools in places with different rules, and what a history in one of them needs.

A school has a class of eighty lessons of unequal length in ninety days, families, two bank accounts. Everything is
filed through the bound operations; the result is the template that every seed begins with, and a seed plays in one
school.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from simulation.schools import SCHOOLS, School

FAMILIES = 6
LESSONS = 80
LESSON_CENTI = (200, 100, 200, 300)
"""One after another."""
MINUTES = 45
Document = dict[str, Any]

PARTIES = {"vendor": "institution_system", "guardian_app": "guardian_app", "bank": "bank"}


@dataclass(frozen=True)
class Family:
    """A pupil, a guardian and the contract that they signed."""

    pupil_id: str
    guardian_id: str
    contract_id: str
    gift_hours_policy: str


@dataclass
class Town:
    """Identifiers of what stands in the template."""

    school: School = SCHOOLS[0]
    parties: dict[str, str] = field(default_factory=dict)
    institution_id: str = ""
    course_id: str = ""
    staff_id: str = ""
    lessons: list[str] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)


def lesson_starts(number: int) -> datetime:
    """Lesson 0 on the second day, then every day at ten."""
    return _STARTS[number]


def lesson_centi(number: int) -> int:
    """How long it is, in hundredths of a class hour."""
    return LESSON_CENTI[number % len(LESSON_CENTI)]


def lesson_ends(number: int) -> datetime:
    """When it is over."""
    return _ENDS[number]


_STARTS = [(START + timedelta(days=1 + number)).replace(hour=10) for number in range(LESSONS)]
_ENDS = [starts + timedelta(minutes=MINUTES * lesson_centi(number) // 100) for number, starts in enumerate(_STARTS)]


def build(house: House, schools: Sequence[School] = SCHOOLS) -> list[Town]:
    """Fill an empty database with schools and keep it as the template."""
    shared = {name: _party(house, name, role, "000000") for name, role in PARTIES.items()}
    towns = [_school(house, number, school, shared) for number, school in enumerate(schools)]
    house.disk.keep()
    return towns


def _party(house: House, name: str, role: str, region: str) -> str:
    public = [json.loads(json.dumps(generate().as_dict(private=False)))]
    return house.storage.write(partial(_register, name=name, role=role, region_code=region, jwks=public))


def _school(house: House, number: int, school: School, shared: dict[str, str]) -> Town:
    town = Town(school, dict(shared))
    town.parties["authority"] = _party(house, f"authority {number}", "authority", school.region)
    say = partial(_say, house, town)
    filed = say("vendor", "createInstitution", body=_institution(number, school))
    town.institution_id = filed["id"]
    say("authority", "approveInstitution", {}, filed["version"], institution_id=filed["id"])
    town.staff_id = say("vendor", "createStaff", body=_staff(town, number))["id"]
    course = say("vendor", "createCourse", body=_course(town, number))
    town.course_id = course["id"]
    say("authority", "approveCourse", {}, course["version"], course_id=course["id"])
    school_class = {
        "external_id": f"cls-{number}", "institution_id": town.institution_id, "course_id": course["id"], "title": "班",
        "teacher_ids": [town.staff_id], "size_max": 12,
    }  # fmt: skip
    class_id = say("vendor", "createClass", body=school_class)["id"]
    lessons = {"items": [_lesson(town, class_id, number, each) for each in range(LESSONS)]}
    town.lessons = [result["id"] for result in say("vendor", "scheduleLessons", body=lessons)["results"]]
    for each in range(FAMILIES):
        town.families.append(_family(town, say, number * FAMILIES + each))
    for each in range(2):
        account = {
            "external_id": f"cac-{number}-{each}", "institution_id": town.institution_id,
            "account_digest": "sha-256:" + "0" * 64, "account_tail": f"000{each}", "agreement_number": "1",
            "opened_on": "2026-08-01", "purpose": "custody",
        }  # fmt: skip
        town.accounts.append(say("bank", "openCustodyAccount", body=account)["id"])
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
    policy = ("pro_rata", "paid_first")[number % 2]
    contract = {
        "external_id": f"ctr{number}", "institution_id": town.institution_id, "pupil_id": registered["id"],
        "guardian_id": guardian_id, "course_id": town.course_id, "template": "GF-2021-2604", "number": str(number),
        "signed_on": "2026-09-06", "gift_hours_policy": policy,
        "document_digest": "sha-256:" + "0" * 64, "supervision": "custody",
        **({"release_mode": town.school.mode} if town.school.mode else {}),
    }  # fmt: skip
    return Family(registered["id"], guardian_id, say("vendor", "createContract", body=contract)["id"], policy)


def _institution(number: int, school: School) -> Document:
    body = f"5211010500000{number + 1:04d}"
    return {
        "external_id": f"ins-{number}", "name": "试讲培训中心", "uscc": body + uscc_check_character(body),
        "region_code": school.region, "delivery": "offline", "sectors": [school.sector], "stages": ["compulsory"],
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


def _staff(town: Town, number: int) -> Document:
    body = f"11010519900101{number + 1:03d}"
    return {
        "external_id": f"stf-{number}", "institution_id": town.institution_id, "name": "贾老师",
        "id_type": "resident_id", "id_number": body + resident_id_check_digit(body), "role": "teaching",
        "full_time": True, "clearance": {"checked_on": "2026-01-01", "result": "clear", "reference": "q"},
    }  # fmt: skip


def _course(town: Town, number: int) -> Document:
    return {
        "external_id": f"crs-{number}", "institution_id": town.institution_id, "title": "课程",
        "sector": town.school.sector, "subject": town.school.subject,
        "stages": ["compulsory"], "grades": ["primary_4"], "delivery": "offline",
        "class_size_max": 12, "class_hours_centi": 4000, "minutes_per_class_hour": 45, "lesson_minutes": 90,
        "gift_hours_centi": 0, "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 480_000}],
        "starts_on": START.date().isoformat(), "ends_on": (START.date() + timedelta(days=85)).isoformat(),
        "charge_method": "by_hours",
    }  # fmt: skip


def _lesson(town: Town, class_id: str, number: int, each: int) -> Document:
    return {
        "external_id": f"les-{number}-{each}", "institution_id": town.institution_id, "class_id": class_id,
        "starts_at": rfc3339(lesson_starts(each)), "ends_at": rfc3339(lesson_ends(each)),
        "class_hours_centi": lesson_centi(each), "teacher_id": town.staff_id, "room": "101",
    }  # fmt: skip


def day(moment: datetime, offset: int = 0) -> str:
    """A calendar day."""
    found: date = moment.date() + timedelta(days=offset)
    return found.isoformat()
