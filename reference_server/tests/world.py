"""A small world for the server's tests: parties that sign, documents that are lawful, and the steps of a day.

Everything goes through the WSGI application as a client would go, so that what is tested is what is served; the
sandbox validates every answer against the contract.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OKPKey
from offcampus_server.app import create_app, make_platform
from offcampus_server.pipeline import Platform
from offcampus_server.sandbox import prepare
from offcampus_spec.formats import resident_id_check_digit, uscc_check_character

SHANGHAI = ZoneInfo("Asia/Shanghai")
ISSUER = "http://127.0.0.1:8080"
Document = dict[str, Any]


@dataclass
class Party:
    """A party with its key; it signs what it sends."""

    client_id: str
    key: OKPKey
    http: FlaskClient
    token: str = ""

    def sign_in(self, **claims: Any) -> Any:
        now = int(time.time())
        payload = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now, "exp": now + 60,
            "jti": secrets.token_urlsafe(16), **claims,
        }  # fmt: skip
        assertion = jwt.encode({"alg": "Ed25519"}, payload, self.key, algorithms=["Ed25519"])
        form = {
            "grant_type": "client_credentials", "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        answer = self.http.post("/v1/token", data=form, base_url=ISSUER)
        if answer.status_code == 200:
            self.token = answer.json["access_token"]
        return answer

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        bearer = {"Authorization": f"Bearer {self.token}"}
        address = path + (f"?{urlencode(query)}" if query else "")
        return self.http.get(address, headers={**bearer, **(headers or {})}, base_url=ISSUER)

    def write(
        self, method: str, path: str, body: Any = None, *, key: str | None = "", if_match: int | str | None = None,
        raw: bytes | None = None, headers: dict[str, str] | None = None, signature: dict[str, Any] | None = None,
        signed: bool = True,
    ) -> Any:  # fmt: skip
        """A signed write; `signature` overrides its parameters (created, expires, nonce, keyid, components, tag)."""
        content = raw if raw is not None else (b"" if body is None else json.dumps(body, ensure_ascii=False).encode())
        sent = {"Authorization": f"Bearer {self.token}"}
        if content:
            sent |= {"Content-Type": "application/json", "Content-Digest": digest(content)}
        if key is not None:
            sent["Idempotency-Key"] = key or secrets.token_urlsafe(12)
        if if_match is not None:
            sent["If-Match"] = if_match if isinstance(if_match, str) else f'"{if_match}"'
        sent |= headers or {}
        if signed:
            sent |= sign(self.key, method, path, sent, **(signature or {}))
        return self.http.open(path, method=method, headers=sent, data=content, base_url=ISSUER)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.write("POST", path, body, **how)


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def sign(
    key: OKPKey, method: str, path: str, headers: dict[str, str], *, created: int | None = None,
    expires: int | None = None, nonce: str | None = None, keyid: str | None = None,
    components: list[str] | None = None, tag: str = "ofc-request",
) -> dict[str, str]:  # fmt: skip
    """A signature written out by hand from RFC 9421."""
    given = {name.lower(): value for name, value in headers.items()}
    moment = int(time.time()) if created is None else created
    covered = components or [
        "@method", "@authority", "@path", "@query", "authorization",
        *(name for name in ("content-digest", "content-type", "idempotency-key", "if-match") if name in given),
    ]  # fmt: skip
    address, _, query = path.partition("?")
    values = {"@method": method, "@authority": "127.0.0.1:8080", "@path": address, "@query": f"?{query}"} | given
    parameters = (
        f"({' '.join(json.dumps(name) for name in covered)});created={moment};expires={expires or moment + 300}"
        f';nonce="{nonce or secrets.token_urlsafe(16)}";keyid="{keyid or key.thumbprint()}";tag="{tag}"'
    )
    base = "\n".join([*(f'"{name}": {values[name]}' for name in covered), f'"@signature-params": {parameters}'])
    signature = base64.b64encode(key.private_key.sign(base.encode())).decode()
    return {"Signature-Input": f"ofc={parameters}", "Signature": f"ofc=:{signature}:"}


@dataclass
class World:
    """A platform with its parties, and the identifiers of what was made."""

    platform: Platform
    folder: Path
    parties: dict[str, Party]
    http: FlaskClient
    ids: dict[str, str] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["parties"][name]
        except KeyError:
            raise AttributeError(name) from None

    def platform_client(self, name: str) -> Party:
        """The same party with a connection of its own, for another thread."""
        known = self.parties[name]
        return Party(known.client_id, known.key, self.http.application.test_client(), known.token)

    @property
    def now(self) -> datetime:
        return self.platform.storage.clock.now()

    def shift(self, **delta: float) -> None:
        """Let business time pass."""
        path = self.folder / "clock.json"
        offset = json.loads(path.read_text())["offset_seconds"] + int(timedelta(**delta).total_seconds())
        path.write_text(json.dumps({"offset_seconds": offset}))

    def day(self, offset: int) -> str:
        return (self.now.date() + timedelta(days=offset)).isoformat()

    def at(self, offset: int, hour: int, minute: int = 0) -> str:
        moment = datetime.combine(self.now.date() + timedelta(days=offset), datetime.min.time(), SHANGHAI)
        return (moment + timedelta(hours=hour, minutes=minute)).isoformat()

    def fresh(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def ok(self, answer: Any, *allowed: int) -> Any:
        assert answer.status_code in (allowed or (200, 201, 207)), answer.get_data(as_text=True)
        return answer.json

    # --- documents ---

    def institution_document(self, **changes: Any) -> Document:
        body = f"52110105{next(self._numbers):09d}"
        return {
            "external_id": self.fresh("ins"), "name": "试讲美术培训中心", "uscc": body + uscc_check_character(body),
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
            "fund_supervision": {"mode": "custody", "payment_channels": ["wechat", "bank_card"]}, **changes,
        }  # fmt: skip

    def course_document(self, **changes: Any) -> Document:
        return {
            "external_id": self.fresh("crs"), "institution_id": self.ids["institution"], "title": "素描",
            "sector": "art_culture", "subject": "fine_arts", "stages": ["compulsory"], "grades": ["primary_4"],
            "delivery": "offline", "class_size_max": 12, "class_hours_centi": 4000, "minutes_per_class_hour": 45,
            "lesson_minutes": 90, "gift_hours_centi": 0,
            "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 480_000}],
            "starts_on": self.day(-9), "ends_on": self.day(70), "charge_method": "by_hours", **changes,
        }  # fmt: skip

    def staff_document(self, **changes: Any) -> Document:
        return {
            "external_id": self.fresh("stf"), "institution_id": self.ids["institution"], "name": "贾老师",
            "id_type": "resident_id", "id_number": self.resident_id(date(1990, 1, 1)), "role": "teaching",
            "full_time": True, "clearance": {"checked_on": "2026-01-01", "result": "clear", "reference": "q"}, **changes,
        }  # fmt: skip

    def pupil_document(self, **changes: Any) -> Document:
        return {
            "external_id": self.fresh("pup"), "institution_id": self.ids["institution"], "name": "古丽·𠮷娜",
            "id_type": "resident_id", "id_number": self.resident_id(date(2016, 5, 1)), "born_on": "2016-05-01",
            "grade": "primary_4",
            "guardians": [{"external_id": "g", "name": "艾比布力·𠮷", "relation": "father", "phone": "13900000007"}],
            "consent": {"given": True, "given_on": self.day(-12), "text_version": "1"}, **changes,
        }  # fmt: skip

    def resident_id(self, born: date) -> str:
        body = f"110105{born:%Y%m%d}{next(self._numbers):03d}"
        return body + resident_id_check_digit(body)

    def lesson_document(self, number: int, **changes: Any) -> Document:
        """Lesson 1 to 8 on days -8 to -1, ten to half past eleven."""
        return {
            "external_id": self.fresh("les"), "institution_id": self.ids["institution"], "class_id": self.ids["class"],
            "starts_at": self.at(number - 9, 10), "ends_at": self.at(number - 9, 11, 30), "class_hours_centi": 200,
            "teacher_id": self.ids["staff"], "room": "101", **changes,
        }  # fmt: skip

    def order_document(self, **changes: Any) -> Document:
        return {
            "external_id": self.fresh("ord"), "institution_id": self.ids["institution"], "pupil_id": self.ids["pupil"],
            "guardian_id": self.ids["guardian"], "course_id": self.ids["course"], "contract_id": self.ids["contract"],
            "class_hours_centi": 4000, "gift_hours_centi": 0,
            "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 480_000}], "total_fen": 480_000,
            "discount_fen": 0, "service_from": self.day(-9), "service_until": self.day(70),
            "charge_method": "by_hours", "ordered_at": self.at(-10, 9), "renewal": False, "training_loan": False,
            **changes,
        }  # fmt: skip

    def record_document(self, number: int, **changes: Any) -> Document:
        return {
            "external_id": self.fresh("con"), "institution_id": self.ids["institution"], "order_id": self.ids["order"],
            "lesson_id": self.ids[f"lesson.{number}"], "type": "lesson", "class_hours_centi": 200,
            "teacher_id": self.ids["staff"], "occurred_from": self.lesson_at(number, 10),
            "occurred_until": self.lesson_at(number, 11, 30), "place": {"room": "101"},
            "proof": {"kind": "roll_call", "reference": "r", "recorded_at": self.lesson_at(number, 11, 31)},
            "notified_at": self.lesson_at(number, 12), **changes,
        }  # fmt: skip

    def lesson_at(self, number: int, hour: int, minute: int = 0) -> str:
        day = datetime.fromisoformat(self.ids["lesson_day_0"]) + timedelta(days=number)
        return (day + timedelta(hours=hour, minutes=minute)).isoformat()

    # --- steps ---

    def open_institution(self, **changes: Any) -> str:
        filed = self.ok(self.vendor.post("/v1/institutions", self.institution_document(**changes)))
        approver = self.province if filed["delivery"] == "online" else self.authority
        self.ok(approver.post(f"/v1/institutions/{filed['id']}/approval", {}, if_match=filed["version"]))
        self.ids["institution"] = filed["id"]
        return str(filed["id"])

    def open_class(self) -> None:
        """An approved institution with staff, a course on sale, a class and eight lessons taught."""
        self.open_institution()
        self.ids["staff"] = self.ok(self.vendor.post("/v1/staff", self.staff_document()))["id"]
        course = self.ok(self.vendor.post("/v1/courses", self.course_document()))
        self.ok(self.authority.post(f"/v1/courses/{course['id']}/approval", {}, if_match=course["version"]))
        self.ids["course"] = course["id"]
        school_class = {
            "external_id": self.fresh("cls"), "institution_id": self.ids["institution"], "course_id": course["id"],
            "title": "班", "teacher_ids": [self.ids["staff"]], "size_max": 12,
        }  # fmt: skip
        self.ids["class"] = self.ok(self.vendor.post("/v1/classes", school_class))["id"]
        self.ids["lesson_day_0"] = self.at(-9, 0)
        items = [self.lesson_document(number) for number in range(1, 9)]
        batch = self.ok(self.vendor.post("/v1/lessons/batch", {"items": items}))
        self.ids |= {f"lesson.{number}": result["id"] for number, result in enumerate(batch["results"], 1)}

    def open_family(self) -> None:
        """A pupil with a guardian and a contract."""
        pupil = self.ok(self.vendor.post("/v1/pupils", self.pupil_document()))
        self.ids |= {"pupil": pupil["id"], "guardian": pupil["guardians"][0]["id"]}
        contract = {
            "external_id": self.fresh("ctr"), "institution_id": self.ids["institution"], "pupil_id": pupil["id"],
            "guardian_id": self.ids["guardian"], "course_id": self.ids["course"], "template": "GF-2021-2604",
            "number": "1", "signed_on": self.day(-10), "gift_hours_policy": "pro_rata",
            "document_digest": "sha-256:" + "0" * 64, "supervision": "custody",
        }  # fmt: skip
        self.ids["contract"] = self.ok(self.vendor.post("/v1/contracts", contract))["id"]

    def open_account(self) -> str:
        account = {
            "external_id": self.fresh("cac"), "institution_id": self.ids["institution"],
            "account_digest": "sha-256:" + "0" * 64, "account_tail": "0001", "agreement_number": "1",
            "opened_on": self.day(-30), "purpose": "custody",
        }  # fmt: skip
        self.ids["account"] = self.ok(self.bank.post("/v1/custody-accounts", account))["id"]
        return self.ids["account"]

    def buy(self, *, paid: bool = True, **changes: Any) -> str:
        """An order, paid through two channels and reported by the bank."""
        order = self.ok(self.vendor.post("/v1/orders", self.order_document(**changes)))
        self.ids["order"] = order["id"]
        if paid:
            self.pay(order["total_fen"])
        return str(order["id"])

    def pay(self, total: int) -> None:
        first = total * 5 // 8
        parts = [{"channel": "wechat", "amount_fen": first, "payer_reference": "w"},
                 {"channel": "bank_card", "amount_fen": total - first, "payer_reference": "b"}]  # fmt: skip
        payment = {"external_id": self.fresh("pay"), "order_id": self.ids["order"], "parts": parts,
                   "payer": {"guardian_id": self.ids["guardian"]}}  # fmt: skip
        self.ids["payment"] = self.ok(self.guardian_app.post("/v1/payments", payment))["id"]
        lines = [self.receipt_document(number, part["amount_fen"]) for number, part in enumerate(parts, 1)]
        self.ok(self.bank.post("/v1/custody-movements/batch", {"items": lines}))

    def receipt_document(self, part_no: int, amount_fen: int, **changes: Any) -> Document:
        return {
            "external_id": self.fresh("line"), "account_id": self.ids["account"], "kind": "receipt",
            "direction": "credit", "amount_fen": amount_fen, "booked_at": self.at(-10, 10), "value_on": self.day(-10),
            "bank_reference": self.fresh("B"), "payment_id": self.ids["payment"], "part_no": part_no,
            "balance_after_fen": amount_fen, **changes,
        }  # fmt: skip

    def ready(self) -> World:
        """Everything up to a paid order."""
        self.open_class()
        self.open_family()
        self.open_account()
        self.buy()
        return self

    def report(self, *numbers: int) -> list[str]:
        """Report lessons; returns the records' identifiers."""
        items = [self.record_document(number) for number in numbers]
        batch = self.ok(self.vendor.post("/v1/consumption-records/batch", {"items": items}))
        assert [result["status"] for result in batch["results"]] == [201] * len(numbers), batch
        return [result["id"] for result in batch["results"]]

    def confirm(self, record_id: str, version: int = 1) -> Any:
        return self.guardian_app.post(f"/v1/consumption-records/{record_id}/confirmation", {}, if_match=version)

    def order(self) -> Document:
        document: Document = self.ok(self.vendor.get(f"/v1/orders/{self.ids['order']}"))
        return document

    def execute_all(self) -> list[Document]:
        """The bank executes everything that is issued."""
        done = []
        for item in self.ok(self.bank.get("/v1/custody-instructions", state="issued"))["items"]:
            body = {"bank_reference": f"X{item['id'][-10:]}", "executed_at": self.now.isoformat()}
            done.append(self.ok(self.bank.post(f"/v1/custody-instructions/{item['id']}/execution", body)))
        return done

    def count(self, table: str) -> int:
        with self.platform.storage.reading() as work:
            return int(work.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def make_world(folder: Path, database_url: str | None) -> World:
    """Prepare a sandbox and sign every party in."""
    prepared = prepare(folder, 8080, "110105", database_url)
    platform = make_platform(prepared.settings)
    app = create_app(platform=platform)
    parties = {}
    for name, client_id in prepared.client_ids.items():
        key = OKPKey.import_key(json.loads(prepared.key_file(name).read_text()))
        parties[name] = Party(client_id, key, app.test_client())
        assert parties[name].sign_in().status_code == 200
    return World(platform, folder, parties, app.test_client())


def problem(answer: Any, status: int, code: str, pointer: str | None = None) -> Any:
    """The answer is this problem, at this place."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    if pointer is not None:
        assert pointer in [entry.get("pointer") for entry in answer.json["violations"]], answer.json["violations"]
    return answer.json
