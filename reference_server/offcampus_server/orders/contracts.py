"""Contracts: what was signed, by whom for whom; the day of signing selects the law, and its terms bind the refund."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import RowMapping

from offcampus_server.courses import service as courses
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, mismatch, missing_reference, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders.tables import contracts
from offcampus_server.pupils import service as pupils


def sign(call: Call, work: Work) -> Answer:
    """Report a signed contract."""
    sent = call.body
    if (row := resources.known(work, contracts, sent)) is not None:
        return Answer(200, resources.presented(row), row["version"])
    institution = institutions.require(work, sent["institution_id"])
    check_people(work, sent, institution.id)
    course = courses.require(work, sent["course_id"])
    if course.institution_id != institution.id:
        raise missing_reference("/course_id", course.id)
    if date.fromisoformat(sent["signed_on"]) > work.now.date():
        raise Problem("schema.invalid", "signed_on lies in the future", [violation("schema.future", "/signed_on")])
    extensions.check(work, sent)
    row = resources.create(
        work, contracts, "ctr", sent, institution_id=institution.id, region_code=institution.region_code,
        pupil_id=sent["pupil_id"], guardian_id=sent["guardian_id"], course_id=course.id,
    )  # fmt: skip
    work.audit("createContract", row["id"], row["institution_id"])
    work.emit(
        "contract", "signed", row["id"], row["institution_id"], row["version"], external_id=row["external_id"],
        region_code=row["region_code"],
    )  # fmt: skip
    return resources.created(row, "contracts", resources.presented(row))


def check_people(work: Work, sent: Mapping[str, Any], institution_id: str) -> None:
    """The pupil is one of the institution, the guardian one of the pupil. Raises `reference.not_found`."""
    pupil = pupils.require(work, sent["pupil_id"])
    if pupil is None or pupil.institution_id != institution_id:
        raise missing_reference("/pupil_id", sent["pupil_id"])
    if sent["guardian_id"] not in pupil.guardian_ids:
        raise missing_reference("/guardian_id", sent["guardian_id"])


def fitting(work: Work, order: Mapping[str, Any]) -> RowMapping:
    """The contract that an order names. Raises when it is missing or says something else than the order."""
    row = resources.by_ids(work, contracts, [order["contract_id"]]).get(order["contract_id"])
    if row is None or row["institution_id"] != order["institution_id"]:
        raise missing_reference("/contract_id", order["contract_id"])
    for name in ("pupil_id", "guardian_id", "course_id"):
        if row[name] != order[name]:
            raise mismatch(f"/{name}", f"the contract names another {name.removesuffix('_id')}")
    return row


def supervision(work: Work, contract_id: str) -> str:
    """How the money under a contract is supervised."""
    return str(resources.by_ids(work, contracts, [contract_id])[contract_id]["document"]["supervision"])


def full_refund_until(work: Work, contract_id: str, service_from: date) -> datetime | None:
    """Until when the contract gives the whole price back: the days that the parties filled in, after the start."""
    document = resources.by_ids(work, contracts, [contract_id])[contract_id]["document"]
    days = document.get("full_refund_window_days")
    return None if days is None else datetime.combine(service_from + timedelta(days=days + 1), time.min, SHANGHAI)
