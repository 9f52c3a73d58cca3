"""What the platform's ledger says of a bank account and of an institution, now or as of any time (M-14.1, M-18.1)."""

from __future__ import annotations

from offcampus_server.funds import accounts
from offcampus_server.funds.tables import custody_accounts
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.cursors import Cursors
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import chart, reading


def of_account(call: Call, work: Work) -> Answer:
    """One page of a bank account's lines, and its balance."""
    row = resources.find(work, custody_accounts, call.path["account_id"])
    account_id, as_of = chart.account(accounts.HELD_BY[row["purpose"]], row["id"]), reading.asked(call.query)
    times = {name: call.query.get(name) for name in ("booked_at", "value_on")}
    bound_to = {"party": work.party.id if work.party else "", "account": account_id, **times}
    limit, cursors = int(call.query.get("limit", resources.DEFAULT_LIMIT)), Cursors(work.cursor_secret)
    after = int(cursors.read(call.query["cursor"], **bound_to)) if "cursor" in call.query else 0
    found = reading.account_lines(work, account_id, as_of, after, limit + 1)
    shown = found[:limit]
    body = {
        "account_id": row["id"], "institution_id": row["institution_id"], "kind": chart.kind_of(account_id),
        **reading.shown(as_of, work.now), "balance_fen": reading.balance(work, account_id, as_of),
        "lines": [line for _, line in shown],
        "next_cursor": cursors.make(shown[-1][0], **bound_to) if len(found) > limit else None,
    }  # fmt: skip
    return Answer(200, body)


def of_institution(call: Call, work: Work) -> Answer:
    """What an institution's accounts hold, owe and are owed."""
    institution_id, as_of = institutions.seen(work, call.path["institution_id"]), reading.asked(call.query)
    balances = reading.institution_balances(work, institution_id, as_of)
    return Answer(200, {"institution_id": institution_id, **reading.shown(as_of, work.now), "balances": balances})
