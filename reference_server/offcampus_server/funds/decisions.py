"""How a bank's line is matched, from where money is drawn, and how a day is reconciled. Pure: no guess moves money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
    failed: bool
    """The bank has reported that it did not and will not move the money."""
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


def break_of_receipt(line: Mapping[str, Any], part: Part | None, institution_id: str, purpose: str) -> str | None:
    """Why a receipt does not match the part of a payment that it names, or None when it does.

    Args:
        institution_id: whose account received it.
        purpose: what the account is for; pre-charges go into custody.
    """
    if part is None or line["direction"] != "credit":
        return "unknown_reference"
    if part.institution_id != institution_id or purpose != "custody":
        return "wrong_account"
    if part.settled:
        return "duplicate"
    if part.amount_fen != line["amount_fen"]:
        return "wrong_sum"
    return None if part.expected else "unlinked"


def break_of_instruction(line: Mapping[str, Any], instructed: Instructed | None) -> str | None:
    """Why a debit does not match the instruction that it names, or None when it does."""
    if instructed is None or line["direction"] != "debit" or instructed.kind != line["kind"]:
        return "unknown_reference"
    if instructed.account_id != line["account_id"]:
        return "wrong_account"
    if instructed.claimed:
        return "duplicate"
    if instructed.amount_fen != line["amount_fen"]:
        return "wrong_sum"
    return "unlinked" if instructed.failed else None


def draw(amount_fen: int, held: Mapping[str, int]) -> list[tuple[str, int]]:
    """How much to take from each account, the first one first, at most what it holds and in all the amount."""
    drawn, left = [], amount_fen
    for account_id, fen in held.items():
        if (share := min(left, fen)) > 0:
            drawn.append((account_id, share))
            left -= share
    return drawn


def signed(line: Mapping[str, Any]) -> int:
    """A line's effect on the balance, in fen."""
    return int(line["amount_fen"]) if line["direction"] == "credit" else -int(line["amount_fen"])


def reconcile(statement: Mapping[str, Any], booked: Sequence[Booked], previous_closing_fen: int | None) -> list[Break]:
    """Compare a day's statement with the movements of that day: every line exactly one movement, and balances chain.

    Args:
        previous_closing_fen: of the last statement before this one; None for the first.
    """
    lines: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    movements: dict[str, list[Booked]] = defaultdict(list)
    for line in statement["lines"]:
        lines[line["bank_reference"]].append(line)
    for movement in booked:
        movements[movement.bank_reference].append(movement)
    breaks = [
        entry
        for reference in dict.fromkeys([*lines, *movements])
        for entry in _of_one_reference(reference, lines[reference], movements[reference])
    ]
    return breaks + _chain(statement, previous_closing_fen)


def _of_one_reference(reference: str, lines: list[Mapping[str, Any]], movements: list[Booked]) -> Iterator[Break]:
    """Equal ones are paired first; then the rest, which differ in sum; what is left over has no counterpart."""
    open_lines, open_movements = list(lines), list(movements)
    for line in lines:
        for movement in open_movements:
            if (movement.amount_fen, movement.direction) == (line["amount_fen"], line["direction"]):
                open_lines.remove(line)
                open_movements.remove(movement)
                break
    for line, movement in zip(open_lines, open_movements, strict=False):
        yield Break("wrong_sum", reference, movement.id, movement.amount_fen, line["amount_fen"])
    both = min(len(open_lines), len(open_movements))
    for number, line in enumerate(open_lines[both:]):
        known = movements or number > 0
        yield Break("duplicate_line" if known else "missing_movement", reference, got_fen=line["amount_fen"])
    for movement in open_movements[both:]:
        yield Break("missing_line", reference, movement.id, movement.amount_fen)


def _chain(statement: Mapping[str, Any], previous_closing_fen: int | None) -> list[Break]:
    opening, closing = statement["opening_balance_fen"], statement["closing_balance_fen"]
    breaks = []
    if previous_closing_fen is not None and previous_closing_fen != opening:
        breaks.append(Break("balance_mismatch", expected_fen=previous_closing_fen, got_fen=opening))
    expected = opening + sum(signed(line) for line in statement["lines"])
    if expected != closing:
        breaks.append(Break("balance_mismatch", expected_fen=max(expected, 0), got_fen=closing))
    return breaks
