"""Operations on risk assessments."""

from __future__ import annotations

from offcampus_server.banks import service
from offcampus_server.banks.tables import risk_assessments
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work

handlers = Handlers()


@handlers("submitRiskAssessment")
def submit_risk_assessment(call: Call, work: Work) -> Answer:
    """Submit (M-09.3)."""
    return service.submit(call, work)


@handlers("listRiskAssessments")
def list_risk_assessments(call: Call, work: Work) -> Answer:
    """Assessments."""
    return resources.page(call, work, risk_assessments, service.present)


@handlers("getRiskAssessment")
def get_risk_assessment(call: Call, work: Work) -> Answer:
    """One assessment."""
    return resources.read(call, work, risk_assessments, call.path["risk_assessment_id"], service.present)
