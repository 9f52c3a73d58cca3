"""How a bank's line is matched, from where money is drawn, and how a day is reconciled. Pure: no guess moves money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    stopped: bool = False
    """A release that the bank had not accepted when the account was frozen."""


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


def break_of_receipt(
    line: Mapping[str, Any], part: Part | None, institution_id: str, purpose: str, takes: str = "custody"
) -> str | None:  # fmt: skip
    """Why a receipt does not match the part of a payment that it names, or None when it does.

    Args:
        institution_id: whose account received it.
        purpose: what the account is for.
        takes: what the account must be for: pre-charges go into custody, unless their contract locks them elsewhere.
    """
    if part is None:
        return "unknown_reference"
    if line["direction"] != "credit":
        return "wrong_direction"
    if part.institution_id != institution_id or purpose != takes:
        return "wrong_account"
    if part.settled:
        return "duplicate"
    if part.amount_fen != line["amount_fen"] + line.get("fee_fen", 0):
        return "wrong_sum"
    return None if part.expected else "unlinked"


def break_of_instruction(line: Mapping[str, Any], instructed: Instructed | None) -> str | None:
    """Why a debit does not match the instruction that it names, or None when it does."""
    if instructed is None:
        return "unknown_reference"
    if instructed.kind != line["kind"]:
        return "wrong_kind"
    if line["direction"] != "debit":
        return "wrong_direction"
    if instructed.account_id != line["account_id"]:
        return "wrong_account"
    if instructed.claimed:
        return "duplicate"
    if instructed.amount_fen != line["amount_fen"]:
        return "wrong_sum"
    return "late_success" if instructed.failed else None


def break_of_kind(line: Mapping[str, Any]) -> str:
    """What a line is that is neither a receipt nor an instruction's: it is named, and it never moves our books."""
    if line["kind"] == "other":
        return "manual_transfer" if line["direction"] == "debit" else "unlinked"
    return {"fee": "fee", "sweep": "sweep", "reversal": "late_reversal"}[line["kind"]]


def break_of_account(state: str, break_type: str | None, instructed: Instructed | None) -> str | None:
    """What the account's state says of a line that matches otherwise: on a closed one nothing moves, on a frozen one
    no release does that was not accepted before the freeze."""
    if state == "closed":
        return "closed_account"
    if state == "frozen" and break_type is None and instructed is not None and instructed.stopped:
        return "moved_while_frozen"
    return break_type


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


def reconcile(
    statement: Mapping[str, Any], booked: Sequence[Booked], previous_closing_fen: int | None,
    elsewhere: Collection[str] = (),
) -> list[Break]:  # fmt: skip
    """Compare a day's statement with the movements of that day: every line exactly one movement, and balances chain.

    Args:
        previous_closing_fen: of the last statement before this one; None for the first.
        elsewhere: references of lines whose movement is booked on another day of the same account.
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
    return _renamed(_dated(breaks, elsewhere), statement, booked) + _chain(statement, previous_closing_fen)


def _dated(breaks: list[Break], elsewhere: Collection[str]) -> list[Break]:
    """A line without a movement today that has one on another day crossed midnight."""
    return [
        replace(entry, type="cross_midnight")
        if entry.type == "missing_movement" and entry.bank_reference in elsewhere
        else entry
        for entry in breaks
    ]


def _renamed(breaks: list[Break], statement: Mapping[str, Any], booked: Sequence[Booked]) -> list[Break]:
    """A line and a movement, each alone and of the same own reference and sum, are the same money named differently."""
    lines = {line["bank_reference"]: line for line in statement["lines"]}
    lone = {
        (movement.external_id, movement.amount_fen, movement.direction): movement
        for movement in booked
        if any(entry.type == "missing_line" and entry.movement_id == movement.id for entry in breaks)
    }
    found: list[Break] = []
    for entry in breaks:
        line = lines.get(entry.bank_reference or "", {})
        key = (line.get("external_id", ""), line.get("amount_fen", 0), line.get("direction", ""))
        if entry.type == "missing_movement" and key in lone:
            movement = lone.pop(key)
            found.append(replace(entry, type="reference_differs", movement_id=movement.id, expected_fen=entry.got_fen))
        else:
            found.append(entry)
    named = {entry.movement_id for entry in found if entry.type == "reference_differs"}
    return [entry for entry in found if not (entry.type == "missing_line" and entry.movement_id in named)]


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
        kind = "wrong_sum" if movement.amount_fen != line["amount_fen"] else "wrong_direction"
        yield Break(kind, reference, movement.id, movement.amount_fen, line["amount_fen"])
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
        breaks.append(Break("opening_mismatch", expected_fen=previous_closing_fen, got_fen=opening))
    expected = opening + sum(signed(line) for line in statement["lines"])
    if expected != closing:
        breaks.append(Break("closing_mismatch", expected_fen=expected, got_fen=closing))
    return breaks
