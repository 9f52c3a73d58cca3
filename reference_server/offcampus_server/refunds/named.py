"""The accounts that a guardian has named for parts of a refund, as they are stored on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Named = dict[str, Any]


def named_account(row: Mapping[Any, Any], payment_id: str, part_no: int) -> Named | None:
    """The account that was named for a part."""
    mine = (payment_id, part_no)
    return next((each for each in row["payees"] or () if (each["payment_id"], each["part_no"]) == mine), None)


def other_accounts(row: Mapping[Any, Any], sent: Mapping[str, Any]) -> list[Named]:
    """Those that were named for other parts."""
    mine = (sent["payment_id"], sent["part_no"])
    return [each for each in row["payees"] or () if (each["payment_id"], each["part_no"]) != mine]


def waits(row: Mapping[Any, Any], failed: Mapping[Any, Any]) -> bool:
    """Has somebody named an account for this part, and nobody decided?"""
    named = named_account(row, failed["payment_id"], failed["part_no"])
    return named is not None and not named["approved"]


def approved(row: Mapping[Any, Any], failed: Mapping[Any, Any]) -> Named | None:
    """The account to which two officers have agreed, as an instruction names it."""
    named = named_account(row, failed["payment_id"], failed["part_no"])
    if named is None or not named["approved"]:
        return None
    return {name: named[name] for name in ("account_digest", "account_tail")}


def shown(row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """As they are answered: the digest stays with the bank."""
    names = ("payment_id", "part_no", "account_tail", "approved")
    return [{name: each[name] for name in names} for each in row["payees"] or ()]
