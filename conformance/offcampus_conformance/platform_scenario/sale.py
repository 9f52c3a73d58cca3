"""What is sold: pupils, contracts, orders within and beyond what the rules allow."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.families.request import Request
from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.record import Exchange
from offcampus_conformance.synthetic import Document
from offcampus_conformance.wire import dump

PUPILS = (1, 2, 3)


def enrol(day: Day) -> None:
    """Three pupils with a contract each; the first with a name that real systems break."""
    make, ids = day.make, day.ids
    for number in PUPILS:
        child = make.pupil(ids["institution"], number)
        _plant(day, child, number)
        label = None if number == 1 else f"pupil.{number}"
        made = day.act("registerPupil", "vendor", child, label=label, keep=f"pupil.{number}")
        body = made.json() or {}
        ids[f"guardian.{number}"] = (body.get("guardians") or [{}])[0].get("id", "")
        contract = make.contract(
            ids["institution"], ids["course"], ids[f"pupil.{number}"], ids[f"guardian.{number}"], number
        )
        label = None if number == 1 else f"contract.{number}"
        day.act("createContract", "vendor", contract, label=label, keep=f"contract.{number}")
        if number == 1:
            ids["pupil"], ids["guardian"], ids["contract"] = ids["pupil.1"], ids["guardian.1"], ids["contract.1"]
    day.act("listPupils", "vendor", query={"institution_id": ids["institution"]})
    day.act("getPupil", "vendor")
    day.act("listContracts", "vendor", query={"institution_id": ids["institution"]})
    day.act("getContract", "vendor")


def _plant(day: Day, child: Document, number: int) -> None:
    parent = child["guardians"][0]
    day.wire.canaries |= {
        f"the name of pupil {number}": child["name"],
        f"the number of pupil {number}": child["id_number"],
        f"the name of guardian {number}": parent["name"],
        f"the phone of guardian {number}": parent["phone"],
    }


def order(day: Day, pupil: int, number: int, **changes: Any) -> Document:
    """An order of a pupil."""
    ids = day.ids
    named = {
        name: ids[name] for name in ("institution", "course", "class")
    } | {name: ids[f"{name}.{pupil}"] for name in ("pupil", "guardian", "contract")}  # fmt: skip
    return day.make.order(named, number, **changes)


def place_orders(day: Day) -> None:
    """The day's order; one beyond each limit; one that is cancelled; one for the objection later."""
    day.act("createOrder", "vendor", order(day, 1, 1), keep="order", before=lambda sent: _bad_orders(day, sent))
    day.act("listOrders", "vendor", query={"institution_id": day.ids["institution"]})
    day.act("getOrder", "vendor")
    sum_wrong = day.request("createOrder", "vendor", order(day, 1, 6, total_fen=479_999))
    day.probe(sum_wrong, "order.sum", codes=["money.sum_mismatch"], pointer="/total_fen")
    day.act("createOrder", "vendor", order(day, 2, 20), label="order.to_cancel", keep="order.2")
    day.act("cancelOrder", "vendor", {}, where={"order_id": day.ids["order.2"]})
    day.act("createOrder", "vendor", order(day, 3, 30), label="order.to_object", keep="order.3")
    mismatched = order(day, 1, 40)
    mismatched["contract_id"] = day.ids["contract.2"]
    day.probe(day.request("createOrder", "vendor", mismatched), "order.mismatch", codes=["reference.mismatch"])


def _bad_orders(day: Day, sent: Request) -> None:
    document: Document = sent.body

    def probe(label: str, code: str, **changes: Any) -> Exchange:
        request = sent.but(body={**document, "external_id": f"{document['external_id']}-{label}", **changes})
        return day.probe(request, f"order.{label}", codes=["rules.refused"], rule=code, control="op.createOrder")

    def tuition(amount_fen: int) -> dict[str, Any]:
        return {
            "price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": amount_fen}], "total_fen": amount_fen
        }  # fmt: skip

    make = day.make
    probe("hours", "precharge.hours_exceeded", class_hours_centi=6100)
    probe("amount", "precharge.amount_exceeded", **tuition(500_001))
    probe("span", "precharge.period_exceeded", service_until=make.day(120))
    probe("loan", "precharge.loan", training_loan=True)
    probe(
        "too_early",
        "precharge.too_early",
        service_from=make.day(45),
        service_until=make.day(100),
        ordered_at=make.at(0, 0),
    )
    float_money = dump(document).replace(b'"total_fen":480000', b'"total_fen":480000.0')
    day.probe(sent.but(raw=float_money), "order.float", codes=["json.number"])
    yuan = dump(document).replace(b'"total_fen":480000', b'"total_fen":"4800.00"')
    day.probe(sent.but(raw=yuan), "order.yuan", codes=["schema.invalid"], pointer="/total_fen")
    day.probe(sent.but(by="rival"), "order.foreign", codes=["reference.not_found"], pointer="/institution_id")
    if not document["service_from"] < document["service_until"]:
        raise Unfinished("the order's own dates are not in order")
