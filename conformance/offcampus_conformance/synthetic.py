"""Documents that the suite sends: lawful by the standard, about invented people and institutions only.

Everything that must be unique carries the run's tag; everything that depends on the day is counted from the
target's business date.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

Document = dict[str, Any]


@dataclass
class Synthetic:
    """A maker of documents. The same seed, tag and day make the same documents."""

    tag: str
    today: date
    region_code: str
    seed: int = 1
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}:{self.tag}")  # noqa: S311 - reproducible data, no secret

    def uscc(self) -> str:
        """A unified social credit code with a right check character (GB 32100)."""
        body = "52" + self.region_code + "".join(self._random.choice("0123456789") for _ in range(9))
        total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(body, USCC_WEIGHTS, strict=True))
        return body + USCC_ALPHABET[(31 - total % 31) % 31]

    def resident_id(self, born: date) -> str:
        """An invented citizen number with a right check digit (GB 11643)."""
        body = f"110105{born:%Y%m%d}{self._random.randrange(1000):03d}"
        total = sum(int(digit) * weight for digit, weight in zip(body, ID_WEIGHTS, strict=True))
        return body + "10X98765432"[total % 11]

    def day(self, offset: int) -> str:
        """A date, `offset` days from today."""
        return (self.today + timedelta(days=offset)).isoformat()

    def at(self, offset: int, hour: int, minute: int = 0) -> str:
        """An instant in Shanghai, `offset` days from today."""
        moment = datetime.combine(self.today + timedelta(days=offset), time(hour, minute), SHANGHAI)
        return moment.isoformat(timespec="seconds")

    def institution(self, name: str = "试讲美术培训中心") -> Document:
        """An offline art institution: the six items of Article 11."""
        credential = {
            "type": "school_licence", "number": "教民111010570000371号", "issuer": "某区教育委员会",
            "valid_from": self.day(-400), "valid_until": self.day(700),
        }  # fmt: skip
        return {
            "external_id": f"ins-{self.tag}",
            "name": f"{name}{self.tag}",
            "uscc": self.uscc(),
            "region_code": self.region_code,
            "delivery": "offline",
            "sectors": ["art_culture"],
            "stages": ["compulsory"],
            "for_profit": True,
            "qualification": {
                "credentials": [credential],
                "legal_person": {"kind": "enterprise", "certificate_number": "91110105", "representative_name": "甄试"},
            },
            "premises": [
                {
                    "campus_external_id": f"cmp-{self.tag}", "tenure": "leased", "lease_until": self.day(800),
                    "building_area_m2": 320,
                    "hygiene": {"certificate_number": "卫-001", "checked_on": self.day(-90)},
                    "fire": {"certificate_number": "消-001", "checked_on": self.day(-20)},
                }
            ],
            "party_building": {"organisation": False},
            "materials_summary": {"count": 1},
            "staff_summary": {"teaching": 2, "research": 0, "other": 1},
            "courses_summary": {"planned": 1},
            "fund_supervision": {"mode": "custody", "payment_channels": ["wechat", "bank_card"]},
            "contact": {"name": "甄试", "phone": "01000000000"},
        }  # fmt: skip

    def campus(self, institution_id: str) -> Document:
        """The institution's one campus."""
        return {
            "external_id": f"cmp-{self.tag}", "institution_id": institution_id, "name": "本部",
            "region_code": self.region_code, "address": "某路一号", "building_area_m2": 320, "capacity_pupils": 80,
            "lease_until": self.day(800),
        }  # fmt: skip

    def staff(self, institution_id: str) -> Document:
        """A cleared full-time teacher."""
        return {
            "external_id": f"stf-{self.tag}", "institution_id": institution_id, "name": "贾老师",
            "id_type": "resident_id", "id_number": self.resident_id(date(1990, 3, 7)), "role": "teaching",
            "full_time": True, "certificate_number": "20101100000001",
            "clearance": {"checked_on": self.day(-60), "result": "clear", "reference": "query-1"},
        }  # fmt: skip

    def material(self, institution_id: str, number: int = 1) -> Document:
        """A training material that the institution edited itself, with its internal review."""
        return {
            "external_id": f"mat-{self.tag}-{number}",
            "institution_id": institution_id,
            "title": f"素描讲义第{number}册",
            "kind": "self_edited",
            "subject": "fine_arts",
            "stages": ["compulsory"],
            "internal_review": {"reviewed_on": self.day(-40), "reviewer": "教研组"},
            "filed_on": self.day(-30),
        }

    def course(self, institution_id: str, campus_id: str) -> Document:
        """Forty class hours of drawing for 4,800.00 yuan, within the national limits."""
        return {
            "external_id": f"crs-{self.tag}", "institution_id": institution_id, "campus_id": campus_id,
            "title": "素描入门", "sector": "art_culture", "subject": "fine_arts", "stages": ["compulsory"],
            "grades": ["primary_4", "primary_5"], "delivery": "offline", "class_size_max": 12,
            "class_hours_centi": 4000, "minutes_per_class_hour": 45, "lesson_minutes": 90, "gift_hours_centi": 0,
            "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 480000}],
            "starts_on": self.day(-9), "ends_on": self.day(70), "charge_method": "by_hours", "material_ids": [],
        }  # fmt: skip

    def school_class(self, institution_id: str, course_id: str, campus_id: str, teacher_id: str) -> Document:
        """A class of the course."""
        return {
            "external_id": f"cls-{self.tag}", "institution_id": institution_id, "course_id": course_id,
            "campus_id": campus_id, "title": "周班", "teacher_ids": [teacher_id], "size_max": 12,
        }  # fmt: skip

    def lesson(self, number: int, institution_id: str, class_id: str, teacher_id: str, **changes: Any) -> Document:
        """The n-th lesson: two class hours, from ten to half past eleven, on day `number - 8`."""
        return {
            "external_id": f"les-{self.tag}-{number}", "institution_id": institution_id, "class_id": class_id,
            "starts_at": self.at(number - 8, 10), "ends_at": self.at(number - 8, 11, 30), "class_hours_centi": 200,
            "teacher_id": teacher_id, "room": "101", "topic": f"第{number}课", **changes,
        }  # fmt: skip

    def pupil(self, institution_id: str, number: int = 1) -> Document:
        """An invented child, with a rare ideograph and a middle dot where real names have them."""
        born = date(2016, 5, number)
        return {
            "external_id": f"pup-{self.tag}-{number}", "institution_id": institution_id, "name": "古丽·𠮷娜",
            "id_type": "resident_id", "id_number": self.resident_id(born), "born_on": born.isoformat(),
            "grade": "primary_4",
            "guardians": [
                {
                    "external_id": f"grd-{self.tag}-{number}", "name": "艾比布力·𠮷", "relation": "father",
                    "phone": "13900000000",
                }
            ],
            "consent": {"given": True, "given_on": self.day(-12), "text_version": "2026-01"},
        }  # fmt: skip

    def contract(
        self, institution_id: str, course_id: str, pupil_id: str, guardian_id: str, number: int = 1
    ) -> Document:
        """The contract on the model form, signed ten days ago."""
        digest = hashlib.sha256(f"{self.tag}-{number}".encode()).hexdigest()
        return {
            "external_id": f"ctr-{self.tag}-{number}", "institution_id": institution_id, "pupil_id": pupil_id,
            "guardian_id": guardian_id, "course_id": course_id, "template": "GF-2021-2604",
            "number": f"HT-{self.tag}-{number}", "signed_on": self.day(-10), "gift_hours_policy": "pro_rata",
            "full_refund_window_days": None, "document_digest": f"sha-256:{digest}", "supervision": "custody",
        }  # fmt: skip

    def order(self, ids: dict[str, str], number: int = 1, **changes: Any) -> Document:
        """The purchase of the whole course, within every limit. `ids` names the resources that it refers to."""
        return {
            "external_id": f"ord-{self.tag}-{number}", "institution_id": ids["institution"],
            "pupil_id": ids["pupil"], "guardian_id": ids["guardian"], "course_id": ids["course"],
            "contract_id": ids["contract"], "class_id": ids["class"], "class_hours_centi": 4000,
            "gift_hours_centi": 0,
            "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 480000}], "total_fen": 480000,
            "discount_fen": 0, "service_from": self.day(-9), "service_until": self.day(70),
            "charge_method": "by_hours", "ordered_at": self.at(-10, 9), "renewal": False, "training_loan": False,
            **changes,
        }  # fmt: skip

    def consumption(self, number: int, ids: dict[str, str], lesson_id: str, **changes: Any) -> Document:
        """The report of the n-th lesson, with the roll call as proof."""
        return {
            "external_id": f"con-{self.tag}-{number}", "institution_id": ids["institution"], "order_id": ids["order"],
            "lesson_id": lesson_id, "type": "lesson", "class_hours_centi": 200, "teacher_id": ids["staff"],
            "occurred_from": self.at(number - 8, 10), "occurred_until": self.at(number - 8, 11, 30),
            "place": {"campus_id": ids["campus"], "room": "101"},
            "proof": {"kind": "roll_call", "reference": f"roll-{number}", "recorded_at": self.at(number - 8, 11, 31)},
            "notified_at": self.at(number - 8, 12), **changes,
        }  # fmt: skip
