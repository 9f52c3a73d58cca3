"""How the platform answers what a party sent: persons masked, sums and deadlines added. Pure.

The played platform's answers are judged against the contract like everybody else's, so every member that the contract
demands of an answer is made here.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
PREFIXES = {
    "institutions": "ins", "campuses": "cmp", "staff": "stf", "materials": "mat", "courses": "crs", "classes": "cls",
    "lessons": "les", "pupils": "pup", "contracts": "ctr", "orders": "ord", "payments": "pay", "refunds": "rfd",
    "consumption-records": "con", "subscriptions": "sub", "custody-accounts": "cac", "custody-instructions": "cin",
    "custody-movements": "cmv", "statements": "stm", "balances": "bal", "risk-assessments": "ras",
    "differences": "dif",
}  # fmt: skip
FIRST_STATES = {
    "institutions": "submitted", "courses": "filed", "orders": "awaiting_payment", "lessons": "scheduled",
    "consumption-records": "reported", "refunds": "requested", "subscriptions": "active", "custody-accounts": "open",
    "custody-movements": "matched", "statements": "reconciled",
}  # fmt: skip
MONEY = ("paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen", "pending_refund_fen")
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def dressed(collection: str, document: Mapping[str, Any], now: datetime) -> Row:
    """A document with what the platform adds to it."""
    if collection in ("staff", "pupils"):
        return _masked(document)
    row = dict(document)
    if collection == "orders":
        hours = document["class_hours_centi"] + document["gift_hours_centi"]
        row |= {**dict.fromkeys(MONEY, 0), "consumed_class_hours_centi": 0, "unconsumed_class_hours_centi": hours}
    elif collection == "consumption-records":
        row |= {"confirmation_due_at": instant(now + timedelta(days=5)), "confirmation_due_provisional": False}
    elif collection == "refunds":
        row |= {"institution_id": new_id("ins"), "amount_fen": 0, "silence_due_at": instant(now + timedelta(days=5)),
                "working": [], "parts": []}  # fmt: skip
    elif collection == "custody-accounts":
        row |= {"balance_fen": 0}
    elif collection == "custody-movements":
        row |= {"institution_id": new_id("ins"), "break_type": None}
    elif collection == "risk-assessments":
        row |= {"bank_id": "pty_" + "0" * 26}
    elif collection == "statements":
        row |= {"institution_id": new_id("ins"), "breaks": []}
    elif collection == "balances":
        row |= {"institution_id": new_id("ins"), "expected_fen": document["balance_fen"], "difference_id": None}
    return row


def stamped(row: Row, prefix: str, now: datetime) -> Row:
    """The members that every resource has."""
    moment = instant(now)
    return {**row, "id": new_id(prefix), "version": 1, "created_at": moment, "updated_at": moment}


def instant(moment: datetime) -> str:
    """An instant as the platform writes it: seconds, with the offset of Shanghai."""
    return moment.isoformat(timespec="seconds")


def new_id(prefix: str, of: str = "") -> str:
    """An identifier of the standard's form; the same for the same `of`."""
    if not of:
        return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(26))
    digest = hashlib.sha256(of.encode()).digest()
    return f"{prefix}_" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:26])


def _masked(document: Mapping[str, Any]) -> Row:
    personal = ("name", "id_number", "born_on", "guardians", "phone")
    kept = {name: value for name, value in document.items() if name not in personal}
    kept |= {"name_masked": document["name"][:1] + "**", "id_number_masked": "****"}
    if "guardians" in document:
        kept |= {"born_year": int(document["born_on"][:4]), "roll_check": "unknown"}
        kept["guardians"] = [
            {"id": new_id("grd"), "external_id": guardian["external_id"], "name_masked": "*", "phone_masked": "*",
             "relation": guardian["relation"]}
            for guardian in document["guardians"]
        ]  # fmt: skip
    return kept
