"""Custody accounts: opened, changed and closed by a bank for an institution; what they hold by our books."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select

from offcampus_server.funds.tables import custody_accounts, custody_instructions
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, missing_reference, violation, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger

HELD_BY = {
    "custody": "custody", "reserve": "reserve_held", "contract_wallet": "wallet", "payer_locked": "payer_locked",
}  # fmt: skip
"""By an account's purpose, the kind of account that the ledger keeps for it: of locked money one for each order."""
LOCKED = ("contract_wallet", "payer_locked")
FIXED = ("external_id", "institution_id", "opened_on", "purpose")
_TAKES = (
    select(custody_accounts.c.id)
    .where(custody_accounts.c.institution_id == bindparam("institution"), custody_accounts.c.state != "closed")
    .where(custody_accounts.c.purpose == bindparam("purpose"))
    .limit(1)
)


def open_account(call: Call, work: Work) -> Answer:
    """A bank reports that it opened an account for an institution (M-09.1, M-11.5)."""
    assert work.party is not None
    sent = call.body
    if (row := resources.known(work, custody_accounts, sent)) is not None:
        return Answer(200, present(work, row), row["version"])
    institution = institutions.any_approved(work, sent["institution_id"])
    row = resources.create(
        work, custody_accounts, "cac", sent, institution_id=institution.id, region_code=institution.region_code,
        state="open", bank_id=work.party.id, purpose=sent["purpose"],
    )  # fmt: skip
    if row["purpose"] not in LOCKED:
        ledger.open_account(work, HELD_BY[row["purpose"]], row["id"], institution.id)
    work.audit("openCustodyAccount", row["id"], institution.id)
    tell(work, "opened", row)
    return resources.created(row, "custody-accounts", present(work, row))


def change_account(call: Call, work: Work) -> Answer:
    """The bank reports another number or agreement; whose account it is and for what never changes (M-12.1)."""
    row = resources.find(work, custody_accounts, call.path["account_id"])
    if row["state"] == "closed":
        raise wrong_state(row["state"], "open", "frozen")
    document = resources.merged(row["document"], call.body, "custody-account", *FIXED)
    row = resources.change(work, custody_accounts, row, call.if_match, document=document)
    work.audit("changeCustodyAccount", row["id"], row["institution_id"], detail={"members": sorted(call.body)})
    tell(work, "changed", row)
    return Answer(200, present(work, row), row["version"])


def close_account(call: Call, work: Work) -> Answer:
    """The bank reports that it closed an account. Raises `custody.not_empty` while money or an instruction is left."""
    row = resources.find(work, custody_accounts, call.path["account_id"])
    balance = balance_of(work, row)
    unresolved = work.connection.execute(
        select(func.count()).where(
            custody_instructions.c.account_id == row["id"], custody_instructions.c.state.in_(("issued", "accepted"))
        )
    ).scalar_one()
    if balance or unresolved:
        detail = f"the account holds {balance} fen and {unresolved} open instructions"
        entry = violation("custody.not_empty", "/account_id", given=balance, allowed=0)
        raise Problem("custody.not_empty", detail, [entry])
    row = resources.transition(work, custody_accounts, row, call.if_match, "closed", "open", "frozen")
    work.audit("closeCustodyAccount", row["id"], row["institution_id"], detail=call.body)
    tell(work, "closed", row)
    return Answer(200, present(work, row), row["version"])


def present(work: Work, row: RowMapping) -> dict[str, Any]:
    """An account with its balance by our books."""
    return resources.presented(row, balance_fen=balance_of(work, row))


def balance_of(work: Work, row: RowMapping) -> int:
    """What an account holds by our books."""
    if row["purpose"] in LOCKED:
        return ledger.locked(work, row["id"])
    return ledger.custody_balances(work, [row["id"]]).get(row["id"], 0)


def require_taking(work: Work, institution_id: str, supervision: str) -> None:
    """The institution has an account that takes pre-charges in this way. Raises `custody.account_missing` (M-07.3)."""
    purpose = supervision if supervision in LOCKED else "custody"
    found = work.connection.execute(_TAKES, {"institution": institution_id, "purpose": purpose}).first()
    if found is None:
        detail = f"all pre-charges are supervised; no bank has opened an account yet ({purpose})"
        raise Problem("custody.account_missing", detail)


def are_kept(work: Work, institution_id: str) -> bool:
    """Does the calling bank keep an account of this institution?"""
    assert work.party is not None
    query = select(custody_accounts.c.id).where(
        custody_accounts.c.institution_id == institution_id, custody_accounts.c.bank_id == work.party.id
    )
    return work.connection.execute(query.limit(1)).first() is not None


def held_by_institution(work: Work, institution_id: str) -> int:
    """What all custody accounts of an institution hold by our books."""
    return ledger.custody_of_institution(work, institution_id)


def of_bank(work: Work, account_id: str) -> RowMapping:
    """An account of the calling bank. Raises `reference.not_found`."""
    assert work.party is not None
    row = by_id(work, [account_id]).get(account_id)
    if row is None or row["bank_id"] != work.party.id:
        raise missing_reference("/account_id", account_id)
    return row


def seen(work: Work, account_id: str) -> RowMapping:
    """An account that the caller may see. Raises the one 404."""
    return resources.find(work, custody_accounts, account_id)


def by_id(work: Work, ids: list[str]) -> dict[str, RowMapping]:
    """Accounts by identifier, whoever's."""
    return resources.by_ids(work, custody_accounts, ids)


def touch(work: Work, account_id: str) -> None:
    """An account's balance has changed: a new version."""
    tell(work, "balance_changed", resources.touch(work, custody_accounts, account_id))


def tell(work: Work, verb: str, row: RowMapping) -> None:
    """Tell of an account's new state."""
    work.emit(
        "custody_account", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip
