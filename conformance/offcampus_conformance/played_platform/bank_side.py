"""The played platform's side of a bank: instructions and their outcomes, statements by account and day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from offcampus_conformance.played_platform.dressing import Row, instant, new_id, stamped
from offcampus_conformance.played_platform.state import Answer, State, refusal

INSTRUCTION_STEPS = {"acceptance": "accepted", "execution": "executed", "failure": "failed"}
FINAL = frozenset({"executed", "failed"})


def issue(state: State, account_id: str, kind: str, amount_fen: int, now: datetime, **about: Any) -> Row:
    """A new instruction for the bank that keeps the account, and an event of it."""
    order = {"document_number": "某教资〔2025〕1号", "reason": "资金监管"}
    row = {
        "kind": kind, "institution_id": _account(state, account_id)["institution_id"], "account_id": account_id,
        "order_id": None, "amount_fen": amount_fen, "state": "issued", "issued_at": instant(now), "refund_id": None,
        "payment_id": None, "part_no": None, "channel": None, "bank_reference": None, "failure": None,
        "authority_order": order if kind in ("freeze", "unfreeze", "balance") else None, **about,
    }  # fmt: skip
    row = stamped(row, "cin", now)
    if kind in ("release", "refund") and row["order_id"] is None:
        row["order_id"] = new_id("ord")
    if kind == "refund" and row["refund_id"] is None:
        row |= {"refund_id": new_id("rfd"), "payment_id": new_id("pay"), "part_no": 1, "channel": "bank_card"}
    with state.lock:
        state.resources.setdefault("custody-instructions", {})[row["id"]] = row
        if kind == "freeze":  # a department's order counts from the moment it is given
            _account(state, account_id)["state"] = "frozen"
        state.tell("custody-instructions", row, "issued", now)
    return row


def instruct(state: State, step: str, id: str, body: Any, now: datetime) -> Answer:
    """What a bank tells of an instruction: taken on, executed, failed; the first outcome stands."""
    row = state.resources.get("custody-instructions", {}).get(id)
    if row is None:
        return refusal(404, "resource.not_found", "no such instruction")
    wanted = INSTRUCTION_STEPS[step]
    if row["state"] in FINAL:
        same = row["state"] == wanted
        return Answer(200, dict(row)) if same else refusal(409, "instruction.resolved", f"it is {row['state']}")
    frozen = _account(state, row["account_id"])["state"] == "frozen"
    if row["kind"] == "release" and frozen and row["state"] == "issued" and wanted != "failed":
        return refusal(409, "custody.frozen", "the account is frozen: releases wait, refunds go on")
    with state.lock:
        row |= {"state": wanted, "version": row["version"] + 1, "updated_at": instant(now)}
        if wanted == "executed":
            row["bank_reference"] = body["bank_reference"]
            if row["kind"] == "unfreeze":
                _account(state, row["account_id"])["state"] = "open"
        if wanted == "failed":
            row["failure"] = {"code": body["code"], "text": body["text"]}
    return Answer(200, dict(row), {"ETag": f'"{row["version"]}"'})


def answer_query(state: State, id: str | None, now: datetime) -> None:
    """A balance that names the instruction that asked for it answers that instruction."""
    row = state.resources.get("custody-instructions", {}).get(id or "")
    if row is not None and row["state"] not in FINAL:
        row |= {"state": "executed", "version": row["version"] + 1, "updated_at": instant(now)}


def put_statement(
    state: State, path: Mapping[str, str], body: Any, now: datetime, *, from_file: bool = False
) -> Answer:
    """The statement of an account and day; a later one replaces it as a new version."""
    account_id, day = path["account_id"], path["statement_on"]
    rows = state.resources.setdefault("statements", {})
    known = next((r for r in rows.values() if (r["account_id"], r["statement_on"]) == (account_id, day)), None)
    fields = {"opening_balance_fen": 0, "closing_balance_fen": 0, "lines": []} if from_file else body
    if known is None:
        known = state.store("statements", fields, now, account_id=account_id, statement_on=day)
    else:
        known |= {**fields, "version": known["version"] + 1, "updated_at": instant(now)}
    return Answer(200, dict(known), {"ETag": f'"{known["version"]}"'})


def _account(state: State, account_id: str) -> Row:
    return state.resources["custody-accounts"][account_id]
