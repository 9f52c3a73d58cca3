"""Money in custody: accounts, payments, what the bank reports, what it is told to do."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.record import Exchange
from offcampus_conformance.synthetic import Document

COLUMNS = "external_id,kind,direction,amount,booked_at,value_on,bank_reference,balance"


def pay(day: Day) -> None:
    """An account opened and changed; two channels pay into it; the bank reports both receipts, and both again."""
    ids = day.ids
    orderly = ids["order"]
    early = day.request("createPayment", "guardian_app", _payment(day, "0", orderly))
    day.probe(early, "payment.no_account", codes=["custody.account_missing"])
    day.act("openCustodyAccount", "bank", _account(day, "1"), keep="account")
    day.act("openCustodyAccount", "bank", _account(day, "2"), label="account.second", keep="account.2")
    day.act("listCustodyAccounts", "bank", query={"institution_id": ids["institution"]})
    day.act("changeCustodyAccount", "bank", {"account_tail": "0002"})
    fixed = day.request("changeCustodyAccount", "bank", {"purpose": "reserve"})
    day.probe(fixed, "account.fixed_member", codes=["schema.invalid"], pointer="/purpose")
    read = day.act("getCustodyAccount", "bank")
    day.etag("account", read)
    short = _payment(day, "2", orderly)
    short["parts"][0]["amount_fen"] -= 1
    day.probe(day.request("createPayment", "guardian_app", short), "payment.short", codes=["money.sum_mismatch"])
    day.act("createPayment", "guardian_app", _payment(day, "1", orderly), keep="payment")
    day.act("getOrder", "vendor", label="order.promised")
    lines = [receipt(day, "payment", 1, 300_000, 300_000), receipt(day, "payment", 2, 180_000, 480_000)]
    day.act("reportCustodyMovements", "bank", {"items": lines})
    again = day.request("reportCustodyMovements", "bank", {"items": lines})
    day.probe(again, "receipt.repeat")
    changed = [{**lines[0], "amount_fen": 300_001}]
    day.probe(day.request("reportCustodyMovements", "bank", {"items": changed}), "receipt.changed")
    day.act("getOrder", "vendor", label="order.paid")
    day.act("listPayments", "vendor", query={"institution_id": ids["institution"]})
    day.act("getPayment", "vendor")
    day.act(
        "createPayment", "guardian_app", _payment(day, "3", ids["order.3"], 3), label="payment.third", keep="payment.3"
    )
    more = [receipt(day, "payment.3", 1, 300_000, 780_000), receipt(day, "payment.3", 2, 180_000, 960_000)]
    day.act("reportCustodyMovements", "bank", {"items": more}, label="receipt.third")
    day.act("listCustodyMovements", "bank", query={"account_id": ids["account"]})


def _account(day: Day, number: str) -> Document:
    return {
        "external_id": f"cac-{day.make.tag}-{number}", "institution_id": day.ids["institution"],
        "account_digest": "sha-256:" + secrets.token_hex(32), "account_tail": "0001",
        "agreement_number": f"TG-{day.make.tag}", "opened_on": day.make.day(-30),
        "purpose": "custody" if number == "1" else "reserve",
    }  # fmt: skip


def _payment(day: Day, number: str, order_id: str, guardian: int = 1) -> Document:
    return {
        "external_id": f"pay-{day.make.tag}-{number}", "order_id": order_id,
        "parts": [
            {"channel": "wechat", "amount_fen": 300_000, "payer_reference": "wx***1"},
            {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "6222***1"},
        ],
        "payer": {"guardian_id": day.ids[f"guardian.{guardian}"]},
    }  # fmt: skip


def receipt(day: Day, payment: str, part_no: int, amount_fen: int, balance_fen: int) -> Document:
    """The bank's line for one part of a payment."""
    number = f"{payment.removeprefix('payment')}-{part_no}"
    return {
        "external_id": f"line-{day.make.tag}{number}", "account_id": day.ids["account"], "kind": "receipt",
        "direction": "credit", "amount_fen": amount_fen, "booked_at": day.make.at(-10, 10),
        "value_on": day.make.day(-10), "bank_reference": f"B{day.make.tag}{number}",
        "payment_id": day.ids[payment], "part_no": part_no, "balance_after_fen": balance_fen,
    }  # fmt: skip


def release(day: Day) -> None:
    """The bank fetches the release, accepts and executes it, once; another one it fails."""
    ids = day.ids
    listed = day.act("listCustodyInstructions", "bank", query={"state": "issued", "account_id": ids["account"]})
    mine = [item for item in _items(listed) if item.get("order_id") == ids["order"]]
    if not mine:
        raise Unfinished("no release was instructed for the confirmed lesson")
    ids["instruction"] = mine[0]["id"]
    day.act("getCustodyInstruction", "bank")
    day.act("acceptCustodyInstruction", "bank", {})
    body = {"bank_reference": f"X{secrets.token_hex(6)}", "executed_at": day.now()}
    day.act("executeCustodyInstruction", "bank", body)
    day.probe(day.request("executeCustodyInstruction", "bank", body), "release.execute_again")
    other = {**body, "bank_reference": body["bank_reference"] + "Z"}
    day.probe(
        day.request("executeCustodyInstruction", "bank", other),
        "release.execute_otherwise",
        codes=["instruction.resolved"],
    )
    failure = {"code": "account_closed", "text": "账户已销户"}
    day.probe(
        day.request("failCustodyInstruction", "bank", failure), "release.fail_executed", codes=["instruction.resolved"]
    )
    day.act("getInstructionProofs", "bank")
    day.act("getOrder", "vendor", label="order.released")
    fail_one(day)


def fail_one(day: Day) -> None:
    """The bank cannot carry another release out: the money is where it was, and the instruction is over."""
    confirmed = {"consumption_record_id": day.ids["record.2"]}
    day.act("confirmConsumption", "guardian_app", {}, where=confirmed, label="failure.confirm")
    day.act("getOrder", "vendor", label="failure.before")
    query = {"state": "issued", "account_id": day.ids["account"]}
    listed = day.act("listCustodyInstructions", "bank", query=query, label="failure.instructions")
    mine = [item for item in _items(listed) if item.get("order_id") == day.ids["order"]]
    if not mine:
        raise Unfinished("nothing was instructed that the bank could fail")
    where = {"instruction_id": mine[0]["id"]}
    failure = {"code": "account_closed", "text": "账户已销户"}
    day.act("failCustodyInstruction", "bank", failure, where=where)
    body = {"bank_reference": f"X{secrets.token_hex(6)}", "executed_at": day.now()}
    late = day.request("executeCustodyInstruction", "bank", body, where=where)
    day.probe(late, "failure.execute_failed", codes=["instruction.resolved"])
    day.act("getOrder", "vendor", label="failure.after")


def execute_all(day: Day, label: str, *, only: str | None = None, account: str = "account") -> list[Exchange]:
    """The bank executes what is issued for an account (of one kind, if named)."""
    listed = day.act(
        "listCustodyInstructions", "bank", label=f"{label}.instructions",
        query={"state": "issued", "account_id": day.ids[account], "limit": "200"},
    )  # fmt: skip
    done = []
    for number, item in enumerate(_items(listed), 1):
        if item.get("kind") == "balance" or (only is not None and item.get("kind") != only):
            continue
        body = {"bank_reference": f"O{item['id'][-12:]}", "executed_at": day.now()}
        done.append(
            day.act(
                "executeCustodyInstruction",
                "bank",
                body,
                label=f"{label}.execute.{number}",
                where={"instruction_id": item["id"]},
            )
        )
    return done


def report_days(day: Day) -> None:
    """Statements as JSON and as a file; a balance that is asked for and one that does not agree."""
    account, make = day.ids["account"], day.make
    third = [receipt(day, "payment.3", 1, 300_000, 780_000), receipt(day, "payment.3", 2, 180_000, 960_000)]
    first = [receipt(day, "payment", 1, 300_000, 300_000), receipt(day, "payment", 2, 180_000, 480_000)]
    where = {"account_id": account, "statement_on": make.day(-10)}
    statement = {"opening_balance_fen": 0, "closing_balance_fen": 960_000, "lines": [*first, *third]}
    day.act("submitStatement", "bank", statement, where=where)
    day.act("getStatement", "bank", where=where)
    missing = {"opening_balance_fen": 0, "closing_balance_fen": 960_000, "lines": first}
    day.act("submitStatement", "bank", missing, where=where, label="statement.missing_line")
    day.act("submitStatement", "bank", statement, where=where, label="statement.corrected")
    _files(day, account)
    day.etag("account", day.act("getCustodyAccount", "bank", label="balance.version"))
    order = {"document_number": f"TEST-{make.tag}", "reason": "conformance", "officer": "OFF-1"}
    asked = day.act("askForBalance", "authority", order)
    body: Document = {"external_id": f"bal-{make.tag}-1", "balance_fen": 1, "measured_at": day.now()}
    instruction = (asked.json() or {}).get("id")
    if instruction is not None:
        body["instruction_id"] = instruction
    day.act("submitBalance", "bank", body)
    second = {"external_id": f"bal-{make.tag}-2", "balance_fen": 1, "measured_at": day.now()}
    day.act("submitBalance", "bank", second, label="balance.second")
    day.act("listBalances", "bank")
    day.act("getCustodyAccountLedger", "bank")


def _files(day: Day, account: str) -> None:
    on = day.make.day(-3)
    where = {"account_id": account, "statement_on": on}
    reference = f"B{day.make.tag}F"
    day.act("submitStatementFile", "bank", _file(day, on, "0.30", reference), where=where)
    day.act("getStatementFile", "bank", where=where)
    spoilt = {"formula": ("0.30", "=1+1"), "amount": ("0.305", f"{reference}G"), "thousands": ("1,000.30", reference)}
    for name, (amount, spoilt_reference) in spoilt.items():
        body = _file(day, on, amount, spoilt_reference)
        day.probe(
            day.request("submitStatementFile", "bank", body, where=where),
            f"file.{name}",
            codes=["statement.file_invalid"],
        )


def _file(day: Day, on: str, amount: str, reference: str) -> Document:
    line = f'F-{day.make.tag},fee,debit,"{amount}",{on} 10:00:00,{on},{reference},9.70'
    text = "\r\n".join([COLUMNS, ",opening,,,,,,10.00", line, ",closing,,,,,,9.70"])
    return {"format": "csv", "content": base64.b64encode(text.encode()).decode()}


def close(day: Day) -> None:
    """Only an empty account is closed."""
    body = {"closed_on": day.make.day(0), "reason": "托管协议终止"}
    day.etag("account", day.act("getCustodyAccount", "bank", label="close.version"))
    day.probe(day.request("closeCustodyAccount", "bank", body), "close.not_empty", codes=["custody.not_empty"])
    empty = {"account_id": day.ids["account.2"]}
    day.act("getCustodyAccount", "bank", where=empty, label="close.empty_version")
    day.act("closeCustodyAccount", "bank", body, where=empty)


def _items(listed: Exchange) -> list[dict[str, Any]]:
    return list((listed.json() or {}).get("items", []))
