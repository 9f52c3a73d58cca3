"""Risk assessments by banks (M-09.3): whose model, what it says and why. Stored and shown, never acted on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from offcampus_server.banks.tables import risk_assessments
from offcampus_server.funds import accounts
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import missing_reference
from offcampus_server.kernel.unit_of_work import Work


def submit(call: Call, work: Work) -> Answer:
    """A bank submits what its model says of an institution that has an account with it."""
    assert work.party is not None
    sent = call.body
    if (row := resources.known(work, risk_assessments, sent)) is not None:
        return Answer(200, present(row), row["version"])
    if not accounts.are_kept(work, sent["institution_id"]):
        raise missing_reference("/institution_id", sent["institution_id"])
    institution = institutions.facts(work, sent["institution_id"])
    row = resources.create(
        work, risk_assessments, "ras", sent, institution_id=institution.id, region_code=institution.region_code,
        bank_id=work.party.id, score=sent["score"], assessed_at=parse(sent["assessed_at"]),
    )  # fmt: skip
    work.audit("submitRiskAssessment", row["id"], institution.id)
    work.emit(
        "risk_assessment", "submitted", row["id"], institution.id, 1, external_id=row["external_id"],
        region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip
    return resources.created(row, "risk-assessments", present(row))


def present(row: RowMapping) -> dict[str, Any]:
    """An assessment as it is answered."""
    return resources.presented(row, bank_id=row["bank_id"])
