"""Faulty vendors: the good one with one thing wrong, and the check that must find it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc import jwt
from offcampus_sdk import Key, models
from offcampus_sdk.errors import TransportTrouble
from offcampus_sdk.exchange import Answer
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.signing import SignatureError, sign_request, verify_event
from offcampus_sdk.transport import Transport
from offcampus_spec.operations import Operation

from offcampus_conformance.signature import verify
from offcampus_conformance.standins.driver import Action
from offcampus_conformance.standins.good_vendor import GoodVendor

Headers = dict[str, str]


class SpoiledTransport(Transport):
    """A transport that spoils every attempt before it is signed and sent."""

    def spoil(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        """What goes wrong with an attempt."""
        return headers, content

    def _once(
        self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[Answer | None, str]:
        spoiled, body = self.spoil(operation, dict(headers), content)
        return super()._once(operation, url, spoiled, body)


class _NewKey(SpoiledTransport):
    def spoil(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = secrets.token_urlsafe(18)
        return headers, content


class MakesANewKeyPerAttempt(GoodVendor):
    """The key is made inside the retry loop."""

    transport_type = _NewKey


class _OneKey(SpoiledTransport):
    def spoil(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = f"key-of-{operation.operation_id}"
        return headers, content


class UsesOneKeyForEverything(GoodVendor):
    """The key is derived from the kind of request alone."""

    transport_type = _OneKey


class _UnknownMember(SpoiledTransport):
    def spoil(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        if operation.operation_id == "createCourse":
            return headers, content[:-1] + b',"colour":"red"}'
        return headers, content


class SendsUnknownMembers(GoodVendor):
    """Its own fields travel along."""

    transport_type = _UnknownMember


class _Unsigned(Transport):
    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        """Nothing is signed."""


class DoesNotSign(GoodVendor):
    """Requests go out unsigned."""

    transport_type = _Unsigned


class _OneNonce(Transport):
    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        sign_request(self.key, operation.method, url, headers, content, int(self.now()), nonce="always-the-same-nonce")


class RepeatsItsNonce(GoodVendor):
    """The nonce is a constant."""

    transport_type = _OneNonce


class _LongAssertion(Transport):
    def _assertion(self, issuer: str) -> str:
        now = int(self.now())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": issuer, "iat": now, "exp": now + 86_400,
            "jti": secrets.token_urlsafe(18),
        }  # fmt: skip
        assert isinstance(self.key, Key)
        return jwt.encode({"alg": "Ed25519"}, claims, self.key.jwk, algorithms=["Ed25519"])


class MakesLongLivedAssertions(GoodVendor):
    """A client assertion lives a day."""

    transport_type = _LongAssertion


class CutsNames(GoodVendor):
    """A column that is too narrow cuts names."""

    def actions(self) -> dict[str, Action]:
        actions = super().actions()
        whole = actions["register_pupil"]
        actions["register_pupil"] = lambda given: whole({**given, "name": given["name"][:4]})
        return actions


class ReportsNaiveTimes(GoodVendor):
    """Times lose their offset on the way."""

    def report_consumption(self, given: dict[str, Any]) -> Any:
        items = [{**item, "occurred_from": item["occurred_from"][:19]} for item in given["items"]]
        return super().report_consumption({"items": items})


class SendsRefusedRecordsAgain(GoodVendor):
    """The results of a batch are not read; everything is sent until the status is 200, which it never is."""

    def report_consumption(self, given: dict[str, Any]) -> Any:
        records = msgspec.convert(given["items"], type=list[models.ConsumptionRecord])
        return msgspec.to_builtins(self.client.consumption_records.report(records))


class ReportsLessonsTwice(GoodVendor):
    """Every report makes new references for the same lessons."""

    def report_consumption(self, given: dict[str, Any]) -> Any:
        again = [{**item, "external_id": f"{item['external_id']}-{secrets.token_hex(2)}"} for item in given["items"]]
        return super().report_consumption({"items": again})


class OrdersAnewAfterALostAnswer(GoodVendor):
    """After a lost answer the order is placed as a new one."""

    def actions(self) -> dict[str, Action]:
        return {**super().actions(), "place_order": self._place}

    def _place(self, given: dict[str, Any]) -> Any:
        transport = self.client.transport
        patient, transport.policy = transport.policy, RetryPolicy(attempts=1)
        try:
            return self._create(self.client.orders.create, models.Order, given)
        except TransportTrouble:
            anew = {**given, "external_id": given["external_id"] + "-new"}
            return self._create(self.client.orders.create, models.Order, anew)
        finally:
            transport.policy = patient


class ChangesWithoutIfMatch(GoodVendor):
    """Updates overwrite whatever is there."""

    def change_contact(self, given: dict[str, Any]) -> Any:
        answer = self.client.transport.call(
            "updateInstitution", path={"institution_id": given["id"]}, body={"contact": given["contact"]}
        )
        return json.loads(answer.body)


class ActsOnRepetitions(GoodVendor):
    """Deliveries are verified, but not remembered."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        return _verified(self, headers, body)


class TakesAnythingAsDelivery(GoodVendor):
    """Deliveries are remembered, but not verified at all."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        event = msgspec.json.decode(body, type=models.Event)
        if self.books.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone() is None:
            self._note(event)
        return 204, ""


class TakesStaleDeliveries(GoodVendor):
    """The signature is checked, its age never."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        status, text = super().webhook(headers, body)
        keys = self.client.platform_keys()
        if status == 401 and "old" in text and verify(keys[0], "POST", self.address, headers) is None:
            return 204, ""
        return status, text


class CrashesOnUnknownTypes(GoodVendor):
    """A type that is not in its table ends in an error."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        kind = json.loads(body)["type"]
        return (500, "unknown type") if "moon" in kind else super().webhook(headers, body)


class LetsOldEventsOverwrite(GoodVendor):
    """The last delivery wins, whatever its sequence."""

    def observe(self, given: dict[str, Any]) -> Any:
        seen = super().observe(given)
        for subject, (kind, state) in self._last.items():
            seen["subjects"][subject] = {"type": kind, "sequence": 0, "state": state}
        return seen

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        status, text = super().webhook(headers, body)
        if status == 204:
            event = json.loads(body)
            self._last[event["subject"]] = (event["type"], event["data"]["state"])
        return status, text

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._last: dict[str, tuple[str, str | None]] = {}


@dataclass(frozen=True)
class Fault:
    """A named fault and the check that must find it."""

    vendor: type[GoodVendor]
    killed_by: str

    @property
    def name(self) -> str:
        """The fault's name."""
        return self.vendor.__name__


FAULTS = (
    Fault(MakesANewKeyPerAttempt, "IS-IDEM-001"),
    Fault(UsesOneKeyForEverything, "IS-IDEM-002"),
    Fault(SendsUnknownMembers, "IS-CONTRACT-001"),
    Fault(DoesNotSign, "IS-SIGN-001"),
    Fault(RepeatsItsNonce, "IS-SIGN-002"),
    Fault(MakesLongLivedAssertions, "IS-AUTH-001"),
    Fault(CutsNames, "IS-TEXT-001"),
    Fault(ReportsNaiveTimes, "IS-TIME-001"),
    Fault(SendsRefusedRecordsAgain, "IS-BATCH-001"),
    Fault(ReportsLessonsTwice, "IS-BATCH-002"),
    Fault(OrdersAnewAfterALostAnswer, "IS-ONCE-001"),
    Fault(ChangesWithoutIfMatch, "IS-COND-001"),
    Fault(ActsOnRepetitions, "IS-HOOK-001"),
    Fault(TakesAnythingAsDelivery, "IS-HOOK-002"),
    Fault(TakesStaleDeliveries, "IS-HOOK-003"),
    Fault(CrashesOnUnknownTypes, "IS-HOOK-005"),
    Fault(LetsOldEventsOverwrite, "IS-HOOK-006"),
)


def _verified(vendor: GoodVendor, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """Verify a delivery and act on it, without remembering that it came."""
    try:
        verify_event(vendor.address, headers, body, vendor.client.platform_keys(), int(time.time()))
    except SignatureError as error:
        return 401, str(error)
    vendor._note(msgspec.json.decode(body, type=models.Event))
    return 204, ""
