"""What happens to money, as legs: each function tells which accounts one event moves it between. Pure.

Legs of one event belong together: they are booked in one call, all or none, and carry the same event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from offcampus_server.ledger.chart import BANK, account, channel


@dataclass(frozen=True)
class Leg:
    """One transfer: from which account to which, how much, and what it is about.

    Attributes:
        held_in: the bank account whose share of the order's money changes, where none of the two accounts says so.
        expires_at: from this moment on a pending transfer can no longer be posted.
        event: what the legs of one event have in common; None for a leg by itself.
    """

    kind: str
    debit: str
    credit: str
    amount_fen: int
    order_id: str | None = None
    payment_id: str | None = None
    part_no: int | None = None
    instruction_id: str | None = None
    movement_id: str | None = None
    value_on: date | None = None
    held_in: str | None = None
    expires_at: datetime | None = None
    event: str | None = None
    reverses: str | None = None
    reverses_kind: str | None = None


@dataclass(frozen=True)
class Transfer:
    """Money of an order that a bank account or a wallet takes in or gives.

    Attributes:
        custody_account_id: the bank account; the order itself where `held_by` is the payer's own account or wallet.
        held_by: the kind of account that holds the money.
    """

    kind: str
    order_id: str
    custody_account_id: str
    amount_fen: int
    payment_id: str | None = None
    part_no: int | None = None
    instruction_id: str | None = None
    movement_id: str | None = None
    held_by: str = "custody"
    expires_at: datetime | None = None
    held_in: str | None = None
    """Of money at the payer's: the name under which its keeper has all that is locked for the institution."""

    def arriving(self, value_on: date) -> Leg:
        """As a leg into the order's escrow."""
        return self._leg(self._holder, self._escrow, value_on)

    def leaving(self, value_on: date | None = None) -> Leg:
        """As a leg out of the order's escrow."""
        return self._leg(self._escrow, self._holder, value_on)

    @property
    def _holder(self) -> str:
        return account(self.held_by, self.custody_account_id)

    @property
    def _escrow(self) -> str:
        return account("escrow", self.order_id)

    def _leg(self, debit: str, credit: str, value_on: date | None) -> Leg:
        return Leg(
            self.kind, debit, credit, self.amount_fen, self.order_id, self.payment_id, self.part_no,
            self.instruction_id, self.movement_id, value_on, self.held_in, self.expires_at,
        )  # fmt: skip


@dataclass(frozen=True)
class PaidPart:
    """A part of a payment: whose, for which order, through which channel."""

    institution_id: str
    order_id: str
    payment_id: str
    part_no: int
    channel: str


def captured(part: PaidPart, amount_fen: int, value_on: date) -> Leg:
    """The family has paid; the channel has the money and custody does not yet."""
    return Leg(
        "capture", channel("in_transit", part.institution_id, part.channel), account("escrow", part.order_id),
        amount_fen, part.order_id, part.payment_id, part.part_no, value_on=value_on,
    )  # fmt: skip


def settled(
    part: PaidPart, account_id: str, amount_fen: int, fee_fen: int, value_on: date, movement_id: str
) -> tuple[Leg, ...]:
    """What was captured has arrived in custody; what the channel kept of it the institution owes.

    Args:
        amount_fen: what arrived, the fee taken off already.
    """
    transit = channel("in_transit", part.institution_id, part.channel)
    arrived = Leg(
        "settlement", account("custody", account_id), transit, amount_fen, part.order_id, part.payment_id,
        part.part_no, movement_id=movement_id, value_on=value_on,
    )  # fmt: skip
    if not fee_fen:
        return (arrived,)
    owed = channel("fee", part.institution_id, part.channel)
    kept = Leg(
        "fee", owed, transit, fee_fen, part.order_id, part.payment_id, part.part_no, value_on=value_on,
        held_in=account_id,
    )  # fmt: skip
    return arrived, kept


def fee_netted(
    order_id: str, institution_id: str, channel_name: str, account_id: str, amount_fen: int, value_on: date
) -> Leg:
    """What the institution owes of a channel's fee is kept from what it has earned."""
    owed = channel("fee", institution_id, channel_name)
    return Leg(
        "fee_netted", account("escrow", order_id), owed, amount_fen, order_id, value_on=value_on, held_in=account_id
    )


def fee_paid(
    institution_id: str, channel_name: str, account_id: str, amount_fen: int, value_on: date, movement_id: str
) -> Leg:
    """The institution has paid a channel's fee back into custody."""
    owed = channel("fee", institution_id, channel_name)
    return Leg("fee_paid", account("custody", account_id), owed, amount_fen, value_on=value_on, movement_id=movement_id)


def fee_taken(institution_id: str, account_id: str, amount_fen: int, value_on: date, movement_id: str) -> Leg:
    """The bank took a fee from custody, which is the families' money: the institution owes it."""
    owed = channel("fee", institution_id, BANK)
    return Leg("fee", owed, account("custody", account_id), amount_fen, value_on=value_on, movement_id=movement_id)


def charged_back(part: PaidPart, account_id: str, amount_fen: int, value_on: date, movement_id: str) -> Leg:
    """The payer's bank has taken back what a channel had brought into custody."""
    return Leg(
        "chargeback", account("escrow", part.order_id), account("custody", account_id), amount_fen, part.order_id,
        part.payment_id, part.part_no, movement_id=movement_id, value_on=value_on,
    )  # fmt: skip


def carried_over(
    institution_id: str, old_order_id: str, shares: Sequence[tuple[tuple[str, int], str, int]], new_order_id: str,
    new_part: tuple[str, int], value_on: date,
) -> tuple[Leg, ...]:  # fmt: skip
    """Money of an order that closes stays in custody and belongs to a new order.

    Args:
        shares: per part of the old order's payments and bank account: how much. One part and account may stand once.
        new_part: the one part of the new order's payment that brings it in.
    """
    through = account("carried", institution_id)
    out = [
        Leg(
            "carry_out", account("escrow", old_order_id), through, fen, old_order_id, *part, value_on=value_on,
            held_in=account_id,
        )
        for part, account_id, fen in shares
    ]  # fmt: skip
    inwards: dict[str, int] = {}
    for _, account_id, fen in shares:
        inwards[account_id] = inwards.get(account_id, 0) + fen
    if len(inwards) != 1:
        raise ValueError("a part of a payment comes from one bank account")
    [(account_id, fen)] = inwards.items()
    into = Leg(
        "carry_in", through, account("escrow", new_order_id), fen, new_order_id, *new_part, value_on=value_on,
        held_in=account_id,
    )  # fmt: skip
    return (*out, into)


def reserve_deposited(
    institution_id: str, account_id: str, amount_fen: int, value_on: date, movement_id: str | None = None
) -> Leg:
    """The institution has paid into its reserve."""
    return Leg(
        "reserve_deposit", account("reserve_held", account_id), account("reserve", institution_id), amount_fen,
        value_on=value_on, movement_id=movement_id,
    )  # fmt: skip


def reserve_withdrawn(
    institution_id: str, account_id: str, amount_fen: int, *, instruction_id: str | None = None,
    value_on: date | None = None,
) -> Leg:  # fmt: skip
    """The institution gets some of its reserve back: held until the bank has moved it, where an instruction asks."""
    return Leg(
        "reserve_withdrawal", account("reserve", institution_id), account("reserve_held", account_id), amount_fen,
        instruction_id=instruction_id, value_on=value_on,
    )  # fmt: skip


def reserve_used(institution_id: str, order_id: str, account_id: str, amount_fen: int, value_on: date) -> Leg:
    """The reserve stands in for what an order no longer holds: it is the order's from now on, in the same account."""
    return Leg(
        "reserve_use", account("reserve", institution_id), account("escrow", order_id), amount_fen, order_id,
        value_on=value_on, held_in=account_id,
    )  # fmt: skip


def claimed(institution_id: str, order_id: str, amount_fen: int, value_on: date) -> Leg:
    """Released money must go back: the institution owes it to the order."""
    return Leg(
        "claim", account("claim", institution_id), account("escrow", order_id), amount_fen, order_id,
        value_on=value_on,
    )  # fmt: skip


def claim_paid(
    institution_id: str, order_id: str, account_id: str, amount_fen: int, value_on: date, movement_id: str
) -> Leg:
    """The institution has paid into custody what it owed an order."""
    return Leg(
        "claim_paid", account("custody", account_id), account("claim", institution_id), amount_fen, order_id,
        value_on=value_on, movement_id=movement_id,
    )  # fmt: skip


def as_one_event(legs: Sequence[Leg], event: str) -> list[Leg]:
    """The legs, bound together when there is more than one."""
    return [replace(leg, event=event) for leg in legs] if len(legs) > 1 else list(legs)


def mirrored(row: Mapping[Any, Any], value_on: date, movement_id: str | None = None) -> Leg:
    """A transfer's reversal: the same sum between the same accounts, the other way round.

    Args:
        movement_id: the bank's own line that took the money back, where there is one.
    """
    return Leg(
        "reversal", row["credit_account_id"], row["debit_account_id"], row["amount_fen"], row["order_id"],
        row["payment_id"], row["part_no"], held_in=row["held_in"], reverses=row["id"], reverses_kind=row["kind"],
        value_on=value_on, movement_id=movement_id,
    )  # fmt: skip
