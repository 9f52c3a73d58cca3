"""Families leave: a refund that is agreed and paid back, and one that the institution objects to."""

from __future__ import annotations

from offcampus_conformance.platform_scenario.custody import execute_all
from offcampus_conformance.platform_scenario.day import Day
from offcampus_conformance.synthetic import Document


def refund(day: Day) -> None:
    """Quote, request, a second request, approval, a failure at the bank, and the money back by channel."""
    ids = day.ids
    orderly = {"order_id": ids["order"]}
    day.act("quoteRefund", "vendor", where=orderly)
    request = _request(day, "1", ids["order"])
    day.act("requestRefund", "guardian_app", request, keep="refund")
    second = day.request("requestRefund", "guardian_app", _request(day, "2", ids["order"]))
    day.probe(second, "refund.second", codes=["refund.in_progress"])
    day.act("listRefunds", "vendor", query={"institution_id": ids["institution"]})
    day.act("getRefund", "vendor")
    day.act("approveRefund", "vendor", {})
    execute_all(day, "refund")
    day.act("getRefund", "vendor", label="refund.read")
    day.act("getOrder", "vendor", label="order.refunded")
    day.act("getOrderStatement", "vendor", where=orderly)
    day.act("getOrderProofs", "vendor", where=orderly)
    day.act("getInstitutionLedger", "vendor")
    after = day.request("requestRefund", "guardian_app", _request(day, "3", ids["order"]))
    day.probe(after, "refund.nothing_left")


def _request(day: Day, number: str, order_id: str) -> Document:
    return {
        "external_id": f"rfd-{day.make.tag}-{number}", "order_id": order_id, "reason": "guardian_choice",
        "requested_at": day.now(), "asked_by": "guardian",
    }  # fmt: skip


def object_and_rule(day: Day) -> None:
    """The institution says no on a ground that it may have; the authority ends it for the family."""
    ids = day.ids
    day.act("requestRefund", "guardian_app", _request(day, "9", ids["order.3"]), label="refund.third", keep="refund.3")
    where = {"refund_id": ids["refund.3"]}
    ruling = {"ruling": "uphold_parent", "text": "已核查"}
    day.probe(
        day.request("ruleOnRefund", "authority", ruling, where=where), "refund.rule_unasked", codes=["resource.state"]
    )
    void = {"ground": "contract_terms", "reason": "合同约定不退"}
    day.probe(
        day.request("objectToRefund", "vendor", void, where=where), "refund.void_ground", codes=["rules.refused"],
        rule="refund.refused_by_void_term",
    )  # fmt: skip
    unknown = {"ground": "hours_taught", "reason": "课时已授", "records": ["con_" + "0" * 26]}
    day.probe(
        day.request("objectToRefund", "vendor", unknown, where=where), "refund.unknown_record",
        codes=["reference.not_found"], pointer="/records/0",
    )  # fmt: skip
    ground = {"ground": "other", "reason": "课时有异议"}
    day.act("objectToRefund", "vendor", ground, where=where)
    day.act("ruleOnRefund", "authority", ruling, where=where)
    execute_all(day, "ruled")
    day.act("getRefund", "vendor", where=where, label="refund.ruled")
    day.act("getOrder", "vendor", where={"order_id": ids["order.3"]}, label="order.ruled")
