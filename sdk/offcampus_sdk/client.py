"""The client: collections with typed create, get and list, and the transitions of each resource by name.

Paths, signatures, keys and versions follow from the contract; nothing is described twice here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx2
import msgspec

from offcampus_sdk import models
from offcampus_sdk.keys import Key
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.transport import Transport, decoded

Sent = TypeVar("Sent", bound=msgspec.Struct)
Answered = TypeVar("Answered", bound=msgspec.Struct)


class BatchRefusals(Exception):
    """Items of a batch were refused; `result` tells which and why. The others are stored."""

    def __init__(self, result: models.BatchResult) -> None:
        self.result = result
        refused = [entry for entry in result.results if entry.outcome == "refused"]
        codes = sorted({entry.problem.code for entry in refused if isinstance(entry.problem, models.Problem)})
        super().__init__(f"{len(refused)} of {len(result.results)} items refused: {', '.join(codes)}")


@dataclass(frozen=True)
class Collection(Generic[Sent, Answered]):
    """The resources of one kind. `Sent` is what a party reports, `Answered` what the platform answers."""

    transport: Transport
    create_operation: str
    get_operation: str
    list_operation: str
    parameter: str
    answered: type[Answered]

    def create(self, document: Sent, *, key: str | None = None) -> Answered:
        """Report one; the same external_id with the same content gives the first one back."""
        answer = self.transport.call(self.create_operation, body=document, key=key)
        return decoded(answer, self.answered)

    def get(self, id: str) -> Answered:
        """Read one. Raises NotFound."""
        answer = self.transport.call(self.get_operation, path={self.parameter: id})
        return decoded(answer, self.answered)

    def list(self, **filters: Any) -> Iterator[Answered]:
        """All that match, page by page as they are needed."""
        cursor: str | None = None
        while True:
            answer = self.transport.call(self.list_operation, query={**filters, "cursor": cursor})
            page = msgspec.json.decode(answer.body)
            yield from msgspec.convert(page["items"], type=list[self.answered])  # type: ignore[name-defined]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def find(self, external_id: str) -> Answered | None:
        """The one with this own reference, if there is one."""
        return next(self.list(external_id=external_id), None)


class Client:
    """A party's client.

    Args:
        base_url: the platform's address.
        client_id: what the platform gave (`pty_…`).
        key: the registered key.
        http: another HTTP transport, for tests a fake platform.
        policy: how often and how long a request is repeated where that is safe.
        language: of texts for people, zh-CN or en.
        transport_type: a subclass of `Transport`, for tests of misbehaving clients.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        key: Key,
        *,
        http: httpx2.BaseTransport | None = None,
        policy: RetryPolicy | None = None,
        language: str = "zh-CN",
        transport_type: type[Transport] = Transport,
    ) -> None:
        self.transport = transport_type(base_url, client_id, key, http, policy or RetryPolicy(), language)
        t, m = self.transport, models
        self.institutions: Collection[models.Institution, models.InstitutionResource] = Collection(
            t, "createInstitution", "getInstitution", "listInstitutions", "institution_id", m.InstitutionResource
        )
        self.campuses: Collection[models.Campus, models.CampusResource] = Collection(
            t, "createCampus", "getCampus", "listCampuses", "campus_id", m.CampusResource
        )
        self.staff: Collection[models.Staff, models.StaffResource] = Collection(
            t, "createStaff", "getStaff", "listStaff", "staff_id", m.StaffResource
        )
        self.materials: Collection[models.Material, models.MaterialResource] = Collection(
            t, "createMaterial", "getMaterial", "listMaterials", "material_id", m.MaterialResource
        )
        self.courses: Collection[models.Course, models.CourseResource] = Collection(
            t, "createCourse", "getCourse", "listCourses", "course_id", m.CourseResource
        )
        self.classes: Collection[models.Class, models.ClassResource] = Collection(
            t, "createClass", "getClass", "listClasses", "class_id", m.ClassResource
        )
        self.lessons: Collection[models.Lesson, models.LessonResource] = Collection(
            t, "scheduleLessons", "getLesson", "listLessons", "lesson_id", m.LessonResource
        )
        self.pupils: Collection[models.Pupil, models.PupilResource] = Collection(
            t, "registerPupil", "getPupil", "listPupils", "pupil_id", m.PupilResource
        )
        self.contracts: Collection[models.Contract, models.ContractResource] = Collection(
            t, "createContract", "getContract", "listContracts", "contract_id", m.ContractResource
        )
        self.orders: Collection[models.Order, models.OrderResource] = Collection(
            t, "createOrder", "getOrder", "listOrders", "order_id", m.OrderResource
        )
        self.payments: Collection[models.Payment, models.PaymentResource] = Collection(
            t, "createPayment", "getPayment", "listPayments", "payment_id", m.PaymentResource
        )
        self.consumption_records: Collection[models.ConsumptionRecord, models.ConsumptionRecordResource] = Collection(
            t, "reportConsumption", "getConsumptionRecord", "listConsumptionRecords", "consumption_record_id",
            m.ConsumptionRecordResource,
        )  # fmt: skip
        self.refunds: Collection[models.Refund, models.RefundResource] = Collection(
            t, "requestRefund", "getRefund", "listRefunds", "refund_id", m.RefundResource
        )
        self.custody_accounts: Collection[models.CustodyAccount, models.CustodyAccountResource] = Collection(
            t, "openCustodyAccount", "getCustodyAccount", "listCustodyAccounts", "account_id",
            m.CustodyAccountResource,
        )  # fmt: skip
        self.custody_instructions: Collection[msgspec.Struct, models.CustodyInstructionResource] = Collection(
            t, "", "getCustodyInstruction", "listCustodyInstructions", "instruction_id", m.CustodyInstructionResource
        )
        self.differences: Collection[msgspec.Struct, models.DifferenceResource] = Collection(
            t, "", "getDifference", "listDifferences", "difference_id", m.DifferenceResource
        )
        self.subscriptions: Collection[models.Subscription, models.SubscriptionResource] = Collection(
            t, "createSubscription", "getSubscription", "listSubscriptions", "subscription_id",
            m.SubscriptionResource,
        )  # fmt: skip

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def schedule_lessons(self, lessons: list[models.Lesson], *, key: str | None = None) -> models.BatchResult:
        """Schedule up to 1,000 lessons; look at every result, or call `raise_refusals`."""
        return self._batch("scheduleLessons", lessons, key)

    def report_consumption(
        self, records: list[models.ConsumptionRecord], *, key: str | None = None
    ) -> models.BatchResult:
        """Report up to 1,000 records; the durable `Reporter` does this for a product that may stop at any moment."""
        return self._batch("reportConsumption", records, key)

    def report_movements(
        self, movements: list[models.CustodyMovement], *, key: str | None = None
    ) -> models.BatchResult:
        """A bank reports up to 1,000 movements."""
        return self._batch("reportCustodyMovements", movements, key)

    def approve_institution(self, institution: models.InstitutionResource) -> models.InstitutionResource:
        """An authority approves an institution."""
        path = {"institution_id": institution.id}
        return self._step("approveInstitution", path, institution.version, models.InstitutionResource)

    def approve_course(self, course: models.CourseResource) -> models.CourseResource:
        """An authority approves a course."""
        return self._step("approveCourse", {"course_id": course.id}, course.version, models.CourseResource)

    def confirm_consumption(self, record: models.ConsumptionRecordResource) -> models.ConsumptionRecordResource:
        """The parent terminal confirms a record for the guardian."""
        path = {"consumption_record_id": record.id}
        return self._step("confirmConsumption", path, record.version, models.ConsumptionRecordResource)

    def dispute_consumption(
        self, record: models.ConsumptionRecordResource, dispute: models.Dispute
    ) -> models.ConsumptionRecordResource:
        """The parent terminal disputes a record for the guardian."""
        path = {"consumption_record_id": record.id}
        return self._step("disputeConsumption", path, record.version, models.ConsumptionRecordResource, dispute)

    def resolve_dispute(
        self, record: models.ConsumptionRecordResource, resolution: models.DisputeResolution
    ) -> models.ConsumptionRecordResource:
        """An authority resolves a dispute."""
        path = {"consumption_record_id": record.id}
        return self._step("resolveDispute", path, record.version, models.ConsumptionRecordResource, resolution)

    def quote_refund(self, order_id: str) -> models.RefundQuote:
        """What a refund would come to now, line by line."""
        answer = self.transport.call("quoteRefund", path={"order_id": order_id})
        return decoded(answer, models.RefundQuote)

    def approve_refund(self, refund: models.RefundResource) -> models.RefundResource:
        """The institution agrees to a refund."""
        return self._step("approveRefund", {"refund_id": refund.id}, refund.version, models.RefundResource)

    def object_to_refund(
        self, refund: models.RefundResource, objection: models.RefundObjection
    ) -> models.RefundResource:
        """The institution objects to a refund, with a ground and a reason."""
        path = {"refund_id": refund.id}
        return self._step("objectToRefund", path, refund.version, models.RefundResource, objection)

    def rule_on_refund(self, refund: models.RefundResource, ruling: models.RefundRuling) -> models.RefundResource:
        """An authority rules on a refund that the institution objects to."""
        return self._step("ruleOnRefund", {"refund_id": refund.id}, refund.version, models.RefundResource, ruling)

    def order_statement(self, order_id: str) -> models.OrderStatement:
        """Every ledger line of an order."""
        answer = self.transport.call("getOrderStatement", path={"order_id": order_id})
        return decoded(answer, models.OrderStatement)

    def accept_instruction(self, instruction_id: str, *, key: str | None = None) -> models.CustodyInstructionResource:
        """A bank takes an instruction on."""
        return self._instruct("acceptCustodyInstruction", instruction_id, models.Nothing(), key)

    def execute_instruction(
        self, instruction_id: str, execution: models.InstructionExecution, *, key: str | None = None
    ) -> models.CustodyInstructionResource:
        """A bank has moved the money."""
        return self._instruct("executeCustodyInstruction", instruction_id, execution, key)

    def fail_instruction(
        self, instruction_id: str, failure: models.InstructionFailure, *, key: str | None = None
    ) -> models.CustodyInstructionResource:
        """A bank has not moved the money and will not."""
        return self._instruct("failCustodyInstruction", instruction_id, failure, key)

    def submit_balance(
        self, account_id: str, balance: models.Balance, *, key: str | None = None
    ) -> models.BalanceResource:
        """A bank submits what an account holds; every line booked until then is reported before."""
        answer = self.transport.call("submitBalance", path={"account_id": account_id}, body=balance, key=key)
        return decoded(answer, models.BalanceResource)

    def close_account(
        self, account: models.CustodyAccountResource, closure: models.AccountClosure
    ) -> models.CustodyAccountResource:
        """A bank has closed an account that held nothing."""
        path = {"account_id": account.id}
        return self._step("closeCustodyAccount", path, account.version, models.CustodyAccountResource, closure)

    def freeze_account(
        self, account: models.CustodyAccountResource, order: models.AccountOrder
    ) -> models.CustodyAccountResource:
        """A department freezes an account: releases stop at once, refunds go on."""
        path = {"account_id": account.id}
        return self._step("freezeCustodyAccount", path, account.version, models.CustodyAccountResource, order)

    def unfreeze_account(
        self, account: models.CustodyAccountResource, order: models.AccountOrder
    ) -> models.CustodyAccountResource:
        """A department has an account unfrozen."""
        path = {"account_id": account.id}
        return self._step("unfreezeCustodyAccount", path, account.version, models.CustodyAccountResource, order)

    def propose_settlement(
        self, difference: models.DifferenceResource, settlement: models.Settlement
    ) -> models.DifferenceResource:
        """The first of two persons says how a difference is to be settled."""
        path = {"difference_id": difference.id}
        return self._step("proposeSettlement", path, difference.version, models.DifferenceResource, settlement)

    def approve_settlement(
        self, difference: models.DifferenceResource, decision: models.SettlementDecision
    ) -> models.DifferenceResource:
        """The second of two persons agrees; only now the line is booked."""
        path = {"difference_id": difference.id}
        return self._step("approveSettlement", path, difference.version, models.DifferenceResource, decision)

    def submit_statement(
        self, account_id: str, statement_on: str, statement: models.Statement, *, key: str | None = None
    ) -> models.StatementResource:
        """A bank submits the statement of a day."""
        path = {"account_id": account_id, "statement_on": statement_on}
        answer = self.transport.call("submitStatement", path=path, body=statement, key=key)
        return decoded(answer, models.StatementResource)

    def events(self, after: str | None = None, *, limit: int = 100) -> tuple[list[models.Event], str]:
        """The next events and the cursor to go on from; store the cursor with what you made of the events."""
        answer = self.transport.call("listEvents", query={"after": after, "limit": limit})
        page = decoded(answer, models.EventPage)
        return page.items, page.next_cursor

    def jwks(self) -> list[dict[str, Any]]:
        """The platform's public keys, to verify webhooks with."""
        answer = self.transport.call("getJwks")
        keys: list[dict[str, Any]] = msgspec.json.decode(answer.body)["keys"]
        return keys

    def log_checkpoint(self) -> dict[str, Any]:
        """The newest signed head of the platform's log, with its key; a `Witness` judges and keeps it."""
        return self._plain("getLogCheckpoint")

    def log_consistency(self, first: int, second: int) -> dict[str, Any]:
        """The proof that the log of `second` entries begins with the log of `first`."""
        return self._plain("getLogConsistency", query={"first": first, "second": second})

    def order_proofs(self, order_id: str) -> Iterator[dict[str, Any]]:
        """The proofs of an order's facts, page by page; check them with `proofs.verify_proofs` or a `Witness`."""
        after = 0
        while True:
            query = {"after": after, "limit": 500}
            page = self._plain("getOrderProofs", path={"order_id": order_id}, query=query)
            yield page
            if not page["more"]:
                return
            after = page["entries"][-1]["leaf"]["chain"]["no"]

    def instruction_proofs(self, instruction_id: str) -> dict[str, Any]:
        """A bank's proofs of what it was told to move; check them with `proofs.verify_instruction`."""
        return self._plain("getInstructionProofs", path={"instruction_id": instruction_id})

    def capabilities(self) -> models.Capabilities:
        """What the platform implements."""
        return decoded(self.transport.call("getCapabilities"), models.Capabilities)

    def _plain(self, operation_id: str, **where: Any) -> dict[str, Any]:
        # A proof is over the exact members that came: no model may add or drop one.
        found: dict[str, Any] = msgspec.json.decode(self.transport.call(operation_id, **where).body)
        return found

    def _batch(self, operation_id: str, items: list[Any], key: str | None) -> models.BatchResult:
        answer = self.transport.call(operation_id, body={"items": items}, key=key)
        return decoded(answer, models.BatchResult)

    def _step(
        self, operation_id: str, path: Mapping[str, str], version: int, answered: type[Answered], body: Any = None
    ) -> Answered:
        answer = self.transport.call(operation_id, path=path, body=body or models.Nothing(), if_match=version)
        return decoded(answer, answered)

    def _instruct(
        self, operation_id: str, instruction_id: str, body: msgspec.Struct, key: str | None
    ) -> models.CustodyInstructionResource:
        answer = self.transport.call(operation_id, path={"instruction_id": instruction_id}, body=body, key=key)
        return decoded(answer, models.CustodyInstructionResource)


def raise_refusals(result: models.BatchResult) -> models.BatchResult:
    """The result of a batch; raises BatchRefusals when an item was refused: no partial failure is overlooked."""
    if result.summary.refused:
        raise BatchRefusals(result)
    return result
