"""Operations of the bank contract, and what a department does about accounts and differences."""

from __future__ import annotations

from offcampus_server.funds import (
    account_ledger,
    accounts,
    balances,
    carry_over,
    differences,
    instructions,
    movements,
    orders_of_departments,
    service,
    service_quality,
    settlements,
    statements,
)
from offcampus_server.funds.tables import account_balances, custody_accounts, custody_instructions, custody_movements
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import facts as ledger
from offcampus_server.orders import contracts, payments
from offcampus_server.orders import service as orders
from offcampus_server.prooflog import proofs

handlers = Handlers()


@handlers("createPayment")
def create_payment(call: Call, work: Work) -> Answer:
    """Pay an order, into custody and nowhere else (M-07.3)."""
    order = orders.named(work, call.body["order_id"])
    accounts.require_taking(work, order.institution_id, contracts.supervision(work, order.contract_id))
    return payments.pay(call, work)


@handlers("carryOverOrder")
def carry_over_order(call: Call, work: Work) -> Answer:
    """Carry an order over to a new one (M-07.3, M-14.1)."""
    return carry_over.carry_over(call, work)


@handlers("openCustodyAccount")
def open_custody_account(call: Call, work: Work) -> Answer:
    """Report an opened account (M-09.1)."""
    return accounts.open_account(call, work)


@handlers("listCustodyAccounts")
def list_custody_accounts(call: Call, work: Work) -> Answer:
    """Accounts."""
    return resources.page(call, work, custody_accounts, lambda row: accounts.present(work, row))


@handlers("getCustodyAccount")
def get_custody_account(call: Call, work: Work) -> Answer:
    """One account."""
    id = call.path["account_id"]
    return resources.read(call, work, custody_accounts, id, lambda row: accounts.present(work, row))


@handlers("changeCustodyAccount")
def change_custody_account(call: Call, work: Work) -> Answer:
    """Report a changed account (M-12.1)."""
    return accounts.change_account(call, work)


@handlers("closeCustodyAccount")
def close_custody_account(call: Call, work: Work) -> Answer:
    """Report a closed account."""
    return accounts.close_account(call, work)


@handlers("submitBalance")
def submit_balance(call: Call, work: Work) -> Answer:
    """Submit a balance."""
    return balances.submit(call, work)


@handlers("listBalances")
def list_balances(call: Call, work: Work) -> Answer:
    """Balances of one account."""
    account = resources.find(work, custody_accounts, call.path["account_id"])
    mine = account_balances.c.account_id == account["id"]
    return resources.page(call, work, account_balances, lambda row: balances.present(work, row), mine)


@handlers("freezeCustodyAccount")
def freeze_custody_account(call: Call, work: Work) -> Answer:
    """Freeze."""
    return orders_of_departments.freeze(call, work)


@handlers("unfreezeCustodyAccount")
def unfreeze_custody_account(call: Call, work: Work) -> Answer:
    """Unfreeze."""
    return orders_of_departments.unfreeze(call, work)


@handlers("askForBalance")
def ask_for_balance(call: Call, work: Work) -> Answer:
    """Ask for a balance."""
    return orders_of_departments.ask_for_balance(call, work)


@handlers("listDifferences")
def list_differences(call: Call, work: Work) -> Answer:
    """The work list."""
    return differences.page(call, work)


@handlers("getDifference")
def get_difference(call: Call, work: Work) -> Answer:
    """One difference."""
    return differences.read(call, work)


@handlers("assignDifference")
def assign_difference(call: Call, work: Work) -> Answer:
    """Assign."""
    return settlements.assign(call, work)


@handlers("proposeSettlement")
def propose_settlement(call: Call, work: Work) -> Answer:
    """The first person."""
    return settlements.propose(call, work)


@handlers("approveSettlement")
def approve_settlement(call: Call, work: Work) -> Answer:
    """The second person."""
    return settlements.approve(call, work)


@handlers("rejectSettlement")
def reject_settlement(call: Call, work: Work) -> Answer:
    """The second person says no."""
    return settlements.reject(call, work)


@handlers("getCustodyAccountLedger")
def get_custody_account_ledger(call: Call, work: Work) -> Answer:
    """A bank account's lines by our books, as of any time (M-18.1)."""
    return account_ledger.of_account(call, work)


@handlers("getInstitutionLedger")
def get_institution_ledger(call: Call, work: Work) -> Answer:
    """An institution's balances by kind of account, as of any time (M-14.1)."""
    return account_ledger.of_institution(call, work)


@handlers("listCustodyInstructions")
def list_custody_instructions(call: Call, work: Work) -> Answer:
    """Fetch instructions (M-09.1)."""
    return resources.page(call, work, custody_instructions, instructions.present)


@handlers("getCustodyInstruction")
def get_custody_instruction(call: Call, work: Work) -> Answer:
    """One instruction: how a lost answer is settled."""
    id = call.path["instruction_id"]
    return resources.read(call, work, custody_instructions, id, instructions.present)


@handlers("getInstructionProofs")
def get_instruction_proofs(call: Call, work: Work) -> Answer:
    """The proofs that an instruction's sum and its outcome are in the log (M-14.1)."""
    id = resources.find(work, custody_instructions, call.path["instruction_id"])["id"]
    return Answer(200, proofs.of_transfer(work.connection, id, ledger.of_instruction(work.connection, id)))


@handlers("acceptCustodyInstruction")
def accept_custody_instruction(call: Call, work: Work) -> Answer:
    """Accept."""
    return service.accept(call, work)


@handlers("executeCustodyInstruction")
def execute_custody_instruction(call: Call, work: Work) -> Answer:
    """Report an execution (M-14.1)."""
    return service.execute(call, work)


@handlers("failCustodyInstruction")
def fail_custody_instruction(call: Call, work: Work) -> Answer:
    """Report a failure."""
    return service.fail(call, work)


@handlers("reportCustodyMovements")
def report_custody_movements(call: Call, work: Work) -> Answer:
    """Report movements in a batch (M-18.1)."""
    return movements.report(call, work)


@handlers("listCustodyMovements")
def list_custody_movements(call: Call, work: Work) -> Answer:
    """Movements."""
    return resources.page(call, work, custody_movements, movements.present)


@handlers("submitStatement")
def submit_statement(call: Call, work: Work) -> Answer:
    """Submit the statement of a day."""
    return statements.submit(call, work)


@handlers("submitStatementFile")
def submit_statement_file(call: Call, work: Work) -> Answer:
    """Submit the statement of a day as CSV or XLSX."""
    return statements.submit_file(call, work)


@handlers("getBankServiceReport")
def get_bank_service_report(call: Call, work: Work) -> Answer:
    """The report on a bank's service (M-09.2)."""
    return service_quality.read(call, work)


@handlers("getStatementFile")
def get_statement_file(call: Call, work: Work) -> Answer:
    """Read a statement as CSV or XLSX."""
    return statements.read_file(call, work)


@handlers("getStatement")
def get_statement(call: Call, work: Work) -> Answer:
    """Read a statement and its differences."""
    return statements.read(call, work)
