"""Operations of consumption."""

from __future__ import annotations

from offcampus_server.consumption import report, service
from offcampus_server.consumption.tables import consumption_records
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work

handlers = Handlers()


@handlers("reportConsumption")
def report_consumption(call: Call, work: Work) -> Answer:
    """Report consumption in a batch (M-07.2, M-14.1)."""
    return report.report(call, work)


@handlers("listConsumptionRecords")
def list_consumption_records(call: Call, work: Work) -> Answer:
    """Records."""
    return resources.page(call, work, consumption_records, service.present)


@handlers("getConsumptionRecord")
def get_consumption_record(call: Call, work: Work) -> Answer:
    """One record."""
    return resources.read(call, work, consumption_records, call.path["consumption_record_id"], service.present)


@handlers("confirmConsumption")
def confirm_consumption(call: Call, work: Work) -> Answer:
    """The guardian confirms."""
    return service.confirm(call, work)


@handlers("disputeConsumption")
def dispute_consumption(call: Call, work: Work) -> Answer:
    """The guardian disputes."""
    return service.dispute(call, work)


@handlers("resolveDispute")
def resolve_dispute(call: Call, work: Work) -> Answer:
    """The authority decides a dispute."""
    return service.resolve(call, work)
