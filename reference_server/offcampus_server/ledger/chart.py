"""The chart of accounts, and which accounts each kind of transfer moves money between. Pure; told in `docs/ledger.md`.

An account is named `kind:owner`. Owners: a bank account (`custody`, `reserve_held`), an order (`escrow`,
`payer_locked`, `wallet`), an institution (`reserve`, `claim`, `carried`), a channel of it (`in_transit`, `fee`).
"""

from __future__ import annotations

ASSETS = ("custody", "in_transit", "fee", "claim", "reserve_held", "payer_locked", "wallet")
"""Where the money is, or who owes it: debits less credits, never below zero."""
LIABILITIES = ("escrow", "reserve", "carried")
"""Whose the money is: credits less debits, never below zero."""
KINDS = (*ASSETS, *LIABILITIES)
OPENED_ON_DEMAND = ("in_transit", "fee", "claim", "reserve", "carried")
"""Accounts of an institution, opened by their first transfer."""
BANK_ACCOUNTS = ("custody", "reserve_held")
LOCKED = ("wallet", "payer_locked")
"""Money that never is in custody: it stays the payer's, locked for the order."""

LEGS: dict[str, tuple[tuple[str, str], ...]] = {
    "capture": (("in_transit", "escrow"),),
    "settlement": (("custody", "in_transit"),),
    "fee": (("fee", "in_transit"), ("fee", "custody")),
    "receipt": (("custody", "escrow"),),
    "lock": (("payer_locked", "escrow"), ("wallet", "escrow")),
    "release": (("escrow", "custody"), ("escrow", "payer_locked"), ("escrow", "wallet")),
    "refund": tuple(("escrow", held) for held in ("custody", "in_transit", "reserve_held", "payer_locked", "wallet")),
    "chargeback": (("escrow", "custody"), ("escrow", "in_transit")),
    "carry_out": (("escrow", "carried"),),
    "carry_in": (("carried", "escrow"),),
    "fee_netted": (("escrow", "fee"),),
    "fee_paid": (("custody", "fee"),),
    "claim": (("claim", "escrow"),),
    "claim_paid": (("custody", "claim"),),
    "reserve_deposit": (("reserve_held", "reserve"),),
    "reserve_withdrawal": (("reserve", "reserve_held"),),
    "reserve_use": (("reserve", "escrow"),),
}
"""Per kind, the lawful pairs (debit, credit). A `reversal` mirrors the pair of what it reverses."""

PAYS_IN = ("capture", "receipt", "lock", "carry_in")
"""What a part of a payment brings into an order; each part once."""
GOES_BACK = ("refund", "chargeback", "carry_out")
"""What leaves through the part that brought it: together at most what the part paid."""
TOPS_UP = ("reserve_use", "claim")
"""What others add to an order whose money was released before it had to go back."""
BANK = "bank"
"""In the place of a channel's name: a fee that the bank itself took from custody."""
RELEASES = ("release", "fee_netted")
"""What the institution has had."""


def account(kind: str, owner_id: str) -> str:
    """An account's name."""
    return f"{kind}:{owner_id}"


def channel(kind: str, institution_id: str, name: str) -> str:
    """The account of an institution's channel (`in_transit`, `fee`)."""
    return f"{kind}:{institution_id}/{name}"


def kind_of(account_id: str) -> str:
    """The kind that an account's name begins with."""
    return account_id.partition(":")[0]


def owner_of(account_id: str) -> str:
    """Whose account it is."""
    return account_id.partition(":")[2]


def institution_of(account_id: str) -> str:
    """The institution of an account that is opened on demand."""
    return owner_of(account_id).partition("/")[0]


def lawful_legs_sql(row: str) -> str:
    """The SQL condition that a row's kind and accounts are a pair of `LEGS`, escrow being that of its own order.

    Args:
        row: what stands before a column's name, like `NEW.`; empty for a query.
    """

    def begins(side: str, kind: str) -> str:
        if kind == "escrow":
            return f"{row}{side}_account_id = 'escrow:' || {row}order_id"
        return f"substr({row}{side}_account_id, 1, {len(kind) + 1}) = '{kind}:'"

    pairs = [
        f"({row}kind = '{kind}' AND {begins('debit', debit)} AND {begins('credit', credit)})"
        for kind, legs in LEGS.items()
        for debit, credit in legs
    ]
    return " OR ".join(pairs)
