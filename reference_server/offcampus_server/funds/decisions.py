"""How a bank's line is matched and a day is reconciled. Pure: no guess ever moves money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offcampus_server.orders.payments import Part


@dataclass(frozen=True)
class Instructed:
    """What an instruction asked for."""

    id: str
    account_id: str
    amount_fen: int
    kind: str
    claimed: bool
    """Another line was matched with it before."""


@dataclass(frozen=True)
class Booked:
    """A movement that the platform holds."""

    id: str
    external_id: str
    bank_reference: str
    amount_fen: int
    direction: str


@dataclass(frozen=True)
class Break:
    """A difference between bank and platform."""

    type: str
    bank_reference: str | None = None
    movement_id: str | None = None
    expected_fen: int | None = None
    got_fen: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the schema `statement-resource`."""
        return {
            "type": self.type, "bank_reference": self.bank_reference, "movement_id": self.movement_id,
            "expected_fen": self.expected_fen, "got_fen": self.got_fen,
        }  # fmt: skip


def break_of_receipt(line: Mapping[str, Any], part: Part | None, institution_id: str) -> str | None:
    """Why a receipt does not match the part of a payment that it names, or None when it does."""
    if part is None or line["direction"] != "credit":
        return "unknown_reference"
    if part.institution_id != institution_id:
        return "wrong_account"
    if part.settled:
        return "duplicate"
    return None if part.amount_fen == line["amount_fen"] else "wrong_sum"


def break_of_instruction(line: Mapping[str, Any], instructed: Instructed | None) -> str | None:
    """Why a debit does not match the instruction that it names, or None when it does."""
    if instructed is None or line["direction"] != "debit" or instructed.kind != line["kind"]:
        return "unknown_reference"
    if instructed.account_id != line["account_id"]:
        return "wrong_account"
    if instructed.claimed:
        return "duplicate"
    return None if instructed.amount_fen == line["amount_fen"] else "wrong_sum"


def signed(line: Mapping[str, Any]) -> int:
    """A line's effect on the balance, in fen."""
    return int(line["amount_fen"]) if line["direction"] == "credit" else -int(line["amount_fen"])


def reconcile(statement: Mapping[str, Any], booked: Sequence[Booked], previous_closing_fen: int | None) -> list[Break]:
    """Compare a day's statement with the movements of that day: every line exactly one movement, and balances chain.

    Args:
        previous_closing_fen: of the last statement before this one; None for the first.
    """
    lines = statement["lines"]
    breaks = _duplicates(lines)
    by_reference = {movement.bank_reference: movement for movement in booked}
    for reference, line in {line["bank_reference"]: line for line in lines}.items():
        movement = by_reference.pop(reference, None)
        if movement is None:
            breaks.append(Break("missing_movement", reference, got_fen=line["amount_fen"]))
        elif (movement.amount_fen, movement.direction) != (line["amount_fen"], line["direction"]):
            breaks.append(Break("wrong_sum", reference, movement.id, movement.amount_fen, line["amount_fen"]))
    breaks += [Break("missing_line", m.bank_reference, m.id, m.amount_fen) for m in by_reference.values()]
    return breaks + _chain(statement, previous_closing_fen)


def _duplicates(lines: Sequence[Mapping[str, Any]]) -> list[Break]:
    counts = Counter(line["bank_reference"] for line in lines)
    return [Break("duplicate_line", reference) for reference, count in counts.items() if count > 1]


def _chain(statement: Mapping[str, Any], previous_closing_fen: int | None) -> list[Break]:
    opening, closing = statement["opening_balance_fen"], statement["closing_balance_fen"]
    breaks = []
    if previous_closing_fen is not None and previous_closing_fen != opening:
        breaks.append(Break("balance_mismatch", expected_fen=previous_closing_fen, got_fen=opening))
    expected = opening + sum(signed(line) for line in statement["lines"])
    if expected != closing:
        breaks.append(Break("balance_mismatch", expected_fen=max(expected, 0), got_fen=closing))
    return breaks
