"""Faults that any connecting system can have, in what it sends and how it hears: for vendors and banks alike."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, ClassVar

import httpx2
import msgspec
from joserfc import jwt
from offcampus_sdk import Key
from offcampus_sdk.errors import UnexpectedAnswer
from offcampus_sdk.exchange import Reached
from offcampus_sdk.signing import sign_request
from offcampus_sdk.transport import Transport
from offcampus_spec.operations import Operation

from offcampus_conformance.signature import Key as RawKey
from offcampus_conformance.signature import sign
from offcampus_conformance.standins.faults.kit import Headers, Sent, Spoiled, answer, final

HARMLESS = frozenset({"createMaterial", "submitRiskAssessment"})
"""Operations that nothing else in the scenarios builds on: what fails there drags nothing along."""
LISTS = frozenset({"listLessons", "listCustodyInstructions"})
Claims = dict[str, Any]


class _Assertions(Spoiled):
    """Changes the client assertion."""

    def claims(self, claims: Claims) -> Claims:
        """The claims as this system makes them."""
        return claims

    def signer(self) -> Key:
        """The key that signs assertions."""
        assert isinstance(self.key, Key)
        return self.key

    def _assertion(self, issuer: str) -> str:
        now = self._signing_time()
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": issuer, "iat": now, "exp": now + 60,
            "jti": secrets.token_urlsafe(18),
        }  # fmt: skip
        self.witness.acted("issueToken")
        header = {"alg": "Ed25519", "typ": "JWT", "kid": self.key.id}
        return jwt.encode(header, self.claims(claims), self.signer().jwk, algorithms=["Ed25519"])


class MakesLongLivedAssertions(_Assertions):
    """A client assertion lives a day."""

    def claims(self, claims: Claims) -> Claims:
        return {**claims, "exp": claims["iat"] + 86_400}


class NamesTheProductAsSubject(_Assertions):
    """sub is the product's name instead of the client id."""

    def claims(self, claims: Claims) -> Claims:
        return {**claims, "sub": "school-product"}


class SignsAssertionsWithAnotherKey(_Assertions):
    """The key of the test installation was left in the configuration."""

    other: ClassVar[Key] = Key.generate()

    def signer(self) -> Key:
        return self.other


class LosesItsTokenOnce(Spoiled):
    """Under load a request goes out before the token is there."""

    writes = 0

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        self.writes += operation.signed
        if operation.signed and self.writes == 5:
            headers["Authorization"] = "Bearer not-there-yet"
            self.mark(operation, content)
        return url, headers, content


class AsksATokenPerRequest(Spoiled):
    """Each request asks for a token of its own."""

    def _token(self) -> str:
        self.witness.acted("issueToken")
        self.tokens.forget()
        return super()._token()


class GivesUpWithoutAToken(Spoiled):
    """401 ends the request: nobody fetches a new token."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is not None and reached[0].status == 401:
            self.mark(operation, content)
            return final(403), ""
        return reached


class KeepsSigningWithTheOldKey(Spoiled):
    """Tokens use the new key, the signer still holds the old one."""

    old: ClassVar[dict[str, Key]] = {}

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        assert isinstance(self.key, Key)
        first = self.old.setdefault(self.base_url, self.key)
        if first.id != self.key.id:
            self.mark(operation, content)
        sign_request(first, operation.method, url, headers, content, self._signing_time())


class AsksTokensWithTheOldKey(_Assertions):
    """Requests are signed with the new key, assertions still with the old one."""

    old: ClassVar[dict[str, Key]] = {}

    def signer(self) -> Key:
        return self.old.setdefault(self.base_url, super().signer())


class DoesNotSign(Spoiled):
    """Requests go out unsigned."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        self.mark(operation, content)


class RepeatsItsNonce(Spoiled):
    """The nonce is a constant."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        self.mark(operation, content)
        nonce = "always-the-same-nonce-of-ours"
        sign_request(self.key, operation.method, url, headers, content, self._signing_time(), nonce=nonce)


class LeavesTheKeyUncovered(Spoiled):
    """The signature is made before the Idempotency-Key is added."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        if (key := headers.pop("Idempotency-Key", None)) is not None:
            self.mark(operation, content)
        super()._sign(operation, url, headers, content)
        if key is not None:
            headers["Idempotency-Key"] = key


class HasASlowClock(Spoiled):
    """The server's clock is twenty minutes behind, and signatures with it."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        self.mark(operation, content)
        sign_request(self.key, operation.method, url, headers, content, self._signing_time() - 1200)


class ChangesTheBodyAfterSigning(Spoiled):
    """A proxy of its own appends a line break after the digest was made."""

    def tamper(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        if not operation.signed or not content:
            return headers, content
        self.mark(operation, content + b"\n")
        return headers, content + b"\n"


class CountsItsNonces(Spoiled):
    """The nonce is a counter."""

    count = 0

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        self.mark(operation, content)
        type(self).count += 1
        sign_request(
            self.key, operation.method, url, headers, content, self._signing_time(), nonce=f"n{type(self).count:08d}"
        )


class UsesATagOfItsOwn(Spoiled):
    """The tag of another standard was left in the signer."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        assert isinstance(self.key, Key)
        self.mark(operation, content)
        super()._sign(operation, url, headers, content)
        del headers["Signature-Input"], headers["Signature"]
        headers |= sign(
            RawKey(self.key.private), operation.method, url, headers, created=self._signing_time(), tag="my-request"
        )


class RepeatsAMember(Spoiled):
    """The serialiser writes a member twice."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id in HARMLESS:
            reference = msgspec.json.decode(content)["external_id"]
            content = content[:-1] + b',"external_id":' + msgspec.json.encode(reference) + b"}"
            self.mark(operation, content)
        return url, headers, content


class WritesMoneyWithAPoint(Spoiled):
    """Amounts are decimals in the product, and look like it."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        spoiled = re.sub(rb'("(?:amount|balance|total|opening_balance)_fen":\d+)(?=[,}])', rb"\1.0", content)
        if spoiled != content:
            self.mark(operation, spoiled)
        return url, headers, spoiled


class SendsTextAsText(Spoiled):
    """The content type is text/plain."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id in HARMLESS:
            headers["Content-Type"] = "text/plain"
            self.mark(operation, content)
        return url, headers, content


class SendsItsOwnMembers(Spoiled):
    """Its own fields travel along."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id in HARMLESS:
            content = content[:-1] + b',"colour":"red"}'
            self.mark(operation, content)
        return url, headers, content


class BustsCaches(Spoiled):
    """Reads carry a time stamp against caches."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.method == "GET" and operation.scope is not None:
            self.mark(operation, content)
            url += ("&" if "?" in url else "?") + f"_={secrets.randbelow(10**6)}"
        return url, headers, content


class GuessesAddresses(Spoiled):
    """Addresses end with a slash."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id in HARMLESS:
            self.witness.acted("None")
            url += "/"
        return url, headers, content


class MakesANewKeyPerAttempt(Spoiled):
    """The key is made inside the retry loop."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = secrets.token_urlsafe(18)
            self.mark(operation, content)
        return url, headers, content


class UsesOneKeyForAll(Spoiled):
    """The key is derived from the kind of request alone."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id in HARMLESS:
            headers["Idempotency-Key"] = f"key-of-{operation.operation_id}"
            self.mark(operation, content)
        return url, headers, content


class CutsItsKeys(Spoiled):
    """A column of six characters holds the keys."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if "Idempotency-Key" in headers and operation.operation_id in HARMLESS:
            headers["Idempotency-Key"] = headers["Idempotency-Key"][:6]
            self.mark(operation, content)
        return url, headers, content


class ChokesOnUnknownMembers(Spoiled):
    """Answers are decoded strictly: a member that is not in the class ends in an error."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is not None and b"x_tomorrow" in reached[0].body:
            self.mark(operation, content)
            self.witness.acted("register_pupil")
            self.witness.acted("assess")
            raise UnexpectedAnswer("unknown member x_tomorrow")
        return reached


class WantsOnlyCreated(Spoiled):
    """Any answer to a creation but 201 is an error."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        creation = "201" in operation.responses and operation.method == "POST"
        if reached[0] is not None and creation and reached[0].status == 200:
            self.mark(operation, content)
            self.witness.acted("add_material")
            self.witness.acted("assess")
            return final(409), ""
        return reached


class FollowsRedirections(Spoiled):
    """The HTTP library follows redirections, and nobody turned it off."""

    def _send(self, method: str, url: str, headers: Any, timeout: httpx2.Timeout, **body: Any) -> Reached:
        reached, trouble = super()._send(method, url, headers, timeout, **body)
        if reached is not None and reached.status == 307:
            self.witness.acted("None")
            return super()._send(method, reached.headers["location"], headers, timeout, **body)
        return reached, trouble


class IgnoresRetryAfter(Spoiled):
    """Retry-After is not read."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is not None and "retry-after" in reached[0].headers:
            self.mark(operation, content)
            headers = {name: value for name, value in reached[0].headers.items() if name != "retry-after"}
            return type(reached[0])(reached[0].status, headers, reached[0].body), ""
        return reached


class Hammers(Spoiled):
    """The retry loop has no wait of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sleep = self._hardly

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is not None and reached[0].status == 503:
            self.mark(operation, content)
        return reached

    def _hardly(self, seconds: float) -> None:
        if seconds >= 1:
            time.sleep(seconds)


class _GivesUp(Spoiled):
    """Takes some kind of trouble for the end."""

    def ends(self, operation: Operation, reached: Reached) -> bool:
        """This is taken for the end."""
        return False

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if not self.ends(operation, reached):
            return reached
        self.mark(operation, content)
        return final(), ""


class GivesUpWhenThrottled(_GivesUp):
    """429 is taken for a refusal; a person is to try again some day."""

    def ends(self, operation: Operation, reached: Reached) -> bool:
        return reached[0] is not None and reached[0].status == 429


class GivesUpOnRequestsInProgress(_GivesUp):
    """409 idempotency.in_progress is taken for a conflict."""

    def ends(self, operation: Operation, reached: Reached) -> bool:
        return reached[0] is not None and reached[0].problem().get("code") == "idempotency.in_progress"


class GivesUpOnPages(_GivesUp):
    """A body that is no JSON is taken for the end, whatever the status."""

    def ends(self, operation: Operation, reached: Reached) -> bool:
        return reached[0] is not None and reached[0].status == 502


class GivesUpOnOldVersions(_GivesUp):
    """412 is shown to nobody, and the change is dropped."""

    def ends(self, operation: Operation, reached: Reached) -> bool:
        return reached[0] is not None and reached[0].status == 412


class RepeatsRefusals(Spoiled):
    """Anything but success is tried again."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is not None and reached[0].problem().get("code") in ("rules.refused", "reference.not_found"):
            self.mark(operation, content)
            return final(503), ""
        return reached


class _Told(Spoiled):
    """Knows more of a broken connection than its name."""

    said = ""

    def _send(self, method: str, url: str, headers: Any, timeout: httpx2.Timeout, **body: Any) -> Reached:
        try:
            response = self._client.request(method, url, headers=headers, timeout=timeout, **body)
        except httpx2.TransportError as error:
            self.said = str(error)
            return None, type(error).__name__
        lower = {name.lower(): value for name, value in response.headers.items()}
        return type(answer(200, {}))(response.status_code, lower, response.content), ""


class GivesUpOnHalfAnswers(_Told):
    """An answer that breaks off is taken for a failure, and the request for not done."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if (reached[0] is None and "incomplete" in self.said.lower() + " ") or "complete message" in self.said:
            self.said = ""
            self.mark(operation, content)
            return final(), ""
        return reached


class GivesUpOnClosedConnections(_Told):
    """A connection that closes is taken for a refusal."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is None and "without sending" in self.said and operation.operation_id in HARMLESS:
            self.said = ""
            self.mark(operation, content)
            return final(), ""
        return reached


class DoesNotWait(Spoiled):
    """The time-out is under a second, and what timed out is sent again at once."""

    def _send(self, method: str, url: str, headers: Any, timeout: httpx2.Timeout, **body: Any) -> Reached:
        reached = super()._send(method, url, headers, httpx2.Timeout(0.6), **body)
        if "Timeout" in reached[1]:
            for name in ("createContract", "changeCustodyAccount", "submitRiskAssessment", "submitBalance"):
                self.witness.acted(name)
        return reached


class TriesWithoutEnd(Spoiled):
    """What cannot be reached is tried again and again, at once."""

    tries = 0

    def _once(self, operation: Operation, url: str, headers: Any, content: bytes) -> Reached:
        reached = super()._once(operation, url, headers, content)
        while operation.signed and reached[0] is None and self.tries < 60:
            self.tries += 1
            self.mark(operation, content)
            reached = super()._once(operation, url, headers, content)
        return reached


class ReportsAnewAfterALostAnswer(Spoiled):
    """After a lost answer the same is reported as something new."""

    lost: ClassVar[set[str]] = set()

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if content.decode() in self.lost and b'"external_id":"' in content:
            content = re.sub(rb'"external_id":"([^"]{1,60})"', rb'"external_id":"\1-new"', content, count=1)
            headers["Idempotency-Key"] = secrets.token_urlsafe(18)
            self.mark(operation, content)
        return url, headers, content

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if reached[0] is None and operation.operation_id in ("createOrder", "submitRiskAssessment"):
            self.lost.add(content.decode())
        return reached


class SendsEverythingTwice(Spoiled):
    """A job and a button send the same."""

    def _once(self, operation: Operation, url: str, headers: Any, content: bytes) -> Reached:
        reached = super()._once(operation, url, headers, content)
        if operation.operation_id in HARMLESS and reached[0] is not None and reached[0].status < 300:
            self.mark(operation, content)
            return super()._once(operation, url, headers, content)
        return reached


class ReadsTheFirstPageOnly(Spoiled):
    """A list ends with its first page."""

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if operation.operation_id in LISTS and reached[0] is not None and reached[0].status == 200:
            self.witness.acted(operation.operation_id)
            page = msgspec.json.decode(reached[0].body)
            return answer(200, {**page, "next_cursor": None, "next": None}), ""
        return reached


class ChangesTheFiltersOnTheWay(Spoiled):
    """The second page is asked for with another length."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if "cursor=" in url and operation.operation_id in LISTS:
            self.witness.acted(operation.operation_id)
            url += "&limit=7"
        return url, headers, content


class AsksForTooMuch(Spoiled):
    """Pages of a thousand are asked for."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id in LISTS:
            self.witness.acted(operation.operation_id)
            url += ("&" if "?" in url else "?") + "limit=1000"
        return url, headers, content


class ReadsTheFeedFromItsBeginning(Spoiled):
    """The cursor of the feed is not kept from one round to the next."""

    fresh = True

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id == "listEvents":
            if self.fresh:
                self.witness.acted("listEvents")
                url = re.sub(r"after=[^&]*&?", "", url)
            self.fresh = False
        return url, headers, content

    def hear(self, operation: Operation, content: bytes, reached: Reached) -> Reached:
        if operation.operation_id == "listEvents" and reached[0] is not None:
            self.fresh = not msgspec.json.decode(reached[0].body).get("items")
        return reached


class StopsInTheMiddleOfTheFeed(Spoiled):
    """One page of the feed is read in a round."""

    full = False

    def _once(self, operation: Operation, url: str, headers: Any, content: bytes) -> Reached:
        if operation.operation_id != "listEvents":
            return super()._once(operation, url, headers, content)
        self.witness.acted("listEvents")
        self.witness.acted("sync_events")
        if self.full:
            type(self).full = False
            cursor = re.search(r"after=([^&]*)", url)
            return answer(200, {"items": [], "next_cursor": cursor[1] if cursor else "", "next": url}), ""
        type(self).full = True
        return super()._once(operation, url, headers, content)


class ChangesWithoutIfMatch(Spoiled):
    """Updates overwrite whatever is there."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if headers.pop("If-Match", None) is not None:
            self.witness.acted(operation.operation_id)
        return url, headers, content


class PatchesMoreThanItChanges(Spoiled):
    """A change sends the whole form."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        more = {"updateInstitution": b'"for_profit":true', "changeCustodyAccount": b'"purpose":"custody"'}
        if operation.operation_id in more:
            content = content[:-1] + b"," + more[operation.operation_id] + b"}"
            self.mark(operation, content)
        return url, headers, content


TRANSPORT_FAULTS: tuple[tuple[type[Transport], str], ...] = (
    (MakesLongLivedAssertions, "AUTH-001"),
    (LosesItsTokenOnce, "AUTH-002"),
    (NamesTheProductAsSubject, "AUTH-003"),
    (SignsAssertionsWithAnotherKey, "AUTH-004"),
    (AsksATokenPerRequest, "AUTH-005"),
    (GivesUpWithoutAToken, "AUTH-006"),
    (KeepsSigningWithTheOldKey, "KEY-001"),
    (AsksTokensWithTheOldKey, "KEY-002"),
    (DoesNotSign, "SIGN-001"),
    (RepeatsItsNonce, "SIGN-002"),
    (LeavesTheKeyUncovered, "SIGN-003"),
    (HasASlowClock, "SIGN-004"),
    (ChangesTheBodyAfterSigning, "SIGN-005"),
    (CountsItsNonces, "SIGN-006"),
    (UsesATagOfItsOwn, "SIGN-007"),
    (RepeatsAMember, "JSON-001"),
    (WritesMoneyWithAPoint, "JSON-002"),
    (SendsTextAsText, "JSON-003"),
    (SendsItsOwnMembers, "CONTRACT-001"),
    (BustsCaches, "CONTRACT-002"),
    (GuessesAddresses, "CONTRACT-003"),
    (MakesANewKeyPerAttempt, "IDEM-001"),
    (UsesOneKeyForAll, "IDEM-002"),
    (CutsItsKeys, "IDEM-003"),
    (ChokesOnUnknownMembers, "ANS-001"),
    (WantsOnlyCreated, "ANS-002"),
    (FollowsRedirections, "ANS-003"),
    (IgnoresRetryAfter, "RETRY-001"),
    (Hammers, "RETRY-002"),
    (GivesUpWhenThrottled, "RETRY-003"),
    (RepeatsRefusals, "RETRY-004"),
    (GivesUpOnRequestsInProgress, "RETRY-005"),
    (GivesUpOnPages, "RETRY-006"),
    (GivesUpOnHalfAnswers, "RETRY-007"),
    (DoesNotWait, "RETRY-008"),
    (GivesUpOnClosedConnections, "RETRY-009"),
    (TriesWithoutEnd, "OUT-002"),
    (ReportsAnewAfterALostAnswer, "ONCE-001"),
    (SendsEverythingTwice, "ONCE-002"),
    (ReadsTheFirstPageOnly, "PAGE-001"),
    (ChangesTheFiltersOnTheWay, "PAGE-002"),
    (AsksForTooMuch, "PAGE-003"),
    (ReadsTheFeedFromItsBeginning, "FEED-001"),
    (StopsInTheMiddleOfTheFeed, "FEED-002"),
    (ChangesWithoutIfMatch, "COND-001"),
    (GivesUpOnOldVersions, "COND-002"),
    (PatchesMoreThanItChanges, "COND-003"),
)
ABOUT_TIME: frozenset[type[Transport]] = frozenset({Hammers, DoesNotWait})
