"""What belongs to the server: every capability's handlers, and the sweeps that a worker carries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from offcampus_server.banks.api import handlers as banks
from offcampus_server.consumption.api import handlers as consumption
from offcampus_server.consumption.service import confirm_silent
from offcampus_server.courses.api import handlers as courses
from offcampus_server.events.api import handlers as events
from offcampus_server.funds.api import handlers as funds
from offcampus_server.funds.certainty import find_doubtful
from offcampus_server.funds.releases import release_waiting
from offcampus_server.institutions.api import handlers as institutions
from offcampus_server.kernel.contract import Bound, bind
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders.api import handlers as orders
from offcampus_server.parties.api import make_handlers as make_party_handlers
from offcampus_server.prooflog.api import make_handlers as make_log_handlers
from offcampus_server.proposals.api import handlers as proposals
from offcampus_server.proposals.service import lapse
from offcampus_server.public.api import handlers as public
from offcampus_server.pupils.api import handlers as pupils
from offcampus_server.refunds.api import handlers as refunds
from offcampus_server.refunds.overdue import find_overdue
from offcampus_server.refunds.service import agree_silent, pay_again
from offcampus_server.warnings.api import handlers as warnings
from offcampus_server.warnings.service import escalate_overdue

Sweep = Callable[[Work, int], int]

SWEEPS: Mapping[str, Sweep] = {
    "confirm_silent": confirm_silent,
    "agree_silent": agree_silent,
    "release_waiting": release_waiting,
    "pay_again": pay_again,
    "find_doubtful": find_doubtful,
    "escalate_overdue": escalate_overdue,
    "find_overdue": find_overdue,
    "lapse": lapse,
}
"""Each does at most `limit` things in the transaction that it is given, and says how many it did."""


def bound_operations(keyring: Keyring) -> dict[str, Bound]:
    """Every operation of the contract with its handler. Raises ContractGap."""
    capabilities = [
        institutions,
        courses,
        pupils,
        orders,
        funds,
        consumption,
        refunds,
        events,
        public,
        banks,
        warnings,
        proposals,
    ]
    return bind([make_party_handlers(keyring), make_log_handlers(keyring), *capabilities])
