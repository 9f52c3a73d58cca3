"""Operations of contracts, orders and payments."""

from __future__ import annotations

from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders import contracts, payments, service
from offcampus_server.orders.tables import contracts as contracts_table
from offcampus_server.orders.tables import orders
from offcampus_server.orders.tables import payments as payments_table
from offcampus_server.prooflog import proofs

handlers = Handlers()


@handlers("createContract")
def create_contract(call: Call, work: Work) -> Answer:
    """Report a contract."""
    return contracts.sign(call, work)


@handlers("listContracts")
def list_contracts(call: Call, work: Work) -> Answer:
    """Contracts."""
    return resources.page(call, work, contracts_table, resources.presented)


@handlers("getContract")
def get_contract(call: Call, work: Work) -> Answer:
    """One contract."""
    return resources.read(call, work, contracts_table, call.path["contract_id"], resources.presented)


@handlers("createOrder")
def create_order(call: Call, work: Work) -> Answer:
    """Place an order (M-07.3, M-14.1)."""
    return service.place(call, work)


@handlers("listOrders")
def list_orders(call: Call, work: Work) -> Answer:
    """Orders."""
    return resources.page(call, work, orders, lambda row: service.present(work, [row])[0])


@handlers("getOrder")
def get_order(call: Call, work: Work) -> Answer:
    """One order."""
    return resources.read(call, work, orders, call.path["order_id"], lambda row: service.present(work, [row])[0])


@handlers("cancelOrder")
def cancel_order(call: Call, work: Work) -> Answer:
    """Cancel an unpaid order."""
    return payments.cancel_order(call, work)


@handlers("getOrderStatement")
def get_order_statement(call: Call, work: Work) -> Answer:
    """Every ledger line of an order (M-14.1)."""
    return service.statement(call, work)


@handlers("getOrderProofs")
def get_order_proofs(call: Call, work: Work) -> Answer:
    """The proofs that an order's facts are in the log (M-14.1)."""
    order_id = resources.find(work, orders, call.path["order_id"])["id"]
    after, limit = call.query.get("after", 0), call.query.get("limit", resources.DEFAULT_LIMIT)
    return Answer(200, proofs.of_order(work.connection, order_id, after, limit))


@handlers("listPayments")
def list_payments(call: Call, work: Work) -> Answer:
    """Payments."""
    return resources.page(call, work, payments_table, lambda row: payments.present(work, [row])[0])


@handlers("getPayment")
def get_payment(call: Call, work: Work) -> Answer:
    """One payment."""
    id = call.path["payment_id"]
    return resources.read(call, work, payments_table, id, lambda row: payments.present(work, [row])[0])
