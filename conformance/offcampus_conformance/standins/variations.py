"""Systems that do unusual, lawful things. Each must stay green: what is called wrong here is a false alarm."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
from joserfc import jwt
from offcampus_sdk import Key
from offcampus_sdk.exchange import Reached
from offcampus_sdk.signing import sign_request
from offcampus_sdk.transport import Transport
from offcampus_spec.operations import Operation

from offcampus_conformance.signature import Key as RawKey
from offcampus_conformance.signature import request_components, sign
from offcampus_conformance.standins import driver
from offcampus_conformance.standins.faults.kit import Headers, Sent, Spoiled
from offcampus_conformance.standins.good_bank import GoodBank
from offcampus_conformance.standins.good_vendor import GoodVendor


class _Rewritten(Spoiled):
    """Writes the same document in another way."""

    def write(self, document: Any) -> bytes:
        """The document as this system writes it."""
        return msgspec.json.encode(document)

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        return url, headers, self.write(json.loads(content)) if content else content


class WritesMembersBackwards(_Rewritten):
    """Members stand in another order."""

    def write(self, document: Any) -> bytes:
        return json.dumps(_backwards(document), ensure_ascii=False).encode()


class WritesWithIndentation(_Rewritten):
    """JSON is written for people, with line breaks."""

    def write(self, document: Any) -> bytes:
        return json.dumps(document, ensure_ascii=False, indent=4).encode()


class EscapesEverything(_Rewritten):
    """Everything beyond ASCII is escaped, surrogate pairs too."""

    def write(self, document: Any) -> bytes:
        return json.dumps(document, ensure_ascii=True).encode()


class WritesTimesInUtc(Spoiled):
    """Instants are converted to UTC, and written with Z."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        def utc(match: re.Match[bytes]) -> bytes:
            moment = datetime.fromisoformat(match[1].decode()).astimezone(UTC)
            return b'"' + moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + b'"'

        return url, headers, re.sub(rb'"(\d{4}-\d\d-\d\dT[0-9:]{8}\+08:00)"', utc, content)


class WritesFractionsOfSeconds(Spoiled):
    """Instants have milliseconds."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        return url, headers, re.sub(rb"(T\d\d:\d\d:\d\d)(\+08:00)", rb"\1.000\2", content)


class QuotesItsKeys(Spoiled):
    """Idempotency-Key is quoted, as its draft has it."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = f'"{headers["Idempotency-Key"]}"'
        return url, headers, content


class WritesHeadersInLowerCase(Spoiled):
    """Header names are in lower case."""

    def tamper(self, operation: Operation, headers: Headers, content: bytes) -> tuple[Headers, bytes]:
        return {name.lower(): value for name, value in headers.items()}, content


class SaysItsCharset(Spoiled):
    """Content types name their charset."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if "Content-Type" in headers:
            headers["Content-Type"] += "; charset=utf-8"
        return url, headers, content


class SendsMoreHeaders(Spoiled):
    """Requests carry headers of tracing and of the product."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        more = {"User-Agent": "school-product/7.3 (institutions)", "traceparent": trace, "X-Product-Node": "a-17"}
        return url, {**headers, **more}, content


class ClosesEveryConnection(Spoiled):
    """No connection is kept alive."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        return url, {**headers, "Connection": "close"}, content


class SendsInChunks(Spoiled):
    """Bodies are sent in chunks, without a length."""

    def _send(self, method: str, url: str, headers: Mapping[str, str], timeout: httpx2.Timeout, **body: Any) -> Reached:
        if content := body.get("content"):
            body["content"] = _pieces(content)
        return super()._send(method, url, headers, timeout, **body)


class HasAClockBehind(Spoiled):
    """The clock is four minutes behind: within what a verifier allows."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        sign_request(self.key, operation.method, url, headers, content, self._signing_time() - 240)


class HasAClockAhead(Spoiled):
    """The clock is seven seconds ahead: within what a verifier allows."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        sign_request(self.key, operation.method, url, headers, content, self._signing_time() + 7)


class MakesLongNonces(Spoiled):
    """Nonces have 512 bits."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        nonce = secrets.token_urlsafe(64)
        sign_request(self.key, operation.method, url, headers, content, self._signing_time(), nonce=nonce)


class SignsForAMinute(Spoiled):
    """Signatures live a minute, cover more than they must, and in another order."""

    def _sign(self, operation: Operation, url: str, headers: Headers, content: bytes) -> None:
        assert isinstance(self.key, Key)
        super()._sign(operation, url, headers, content)
        del headers["Signature-Input"], headers["Signature"]
        components = tuple(reversed((*request_components(headers), "accept-language")))
        now = self._signing_time()
        headers |= sign(RawKey(self.key.private), operation.method, url, headers, created=now, expires=now + 60,
                        components=components)  # fmt: skip


class NamesItsAlgorithmAsBefore(Spoiled):
    """Assertions say EdDSA, the older name, and live half a minute."""

    def _assertion(self, issuer: str) -> str:
        now = self._signing_time()
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": issuer, "iat": now, "exp": now + 30,
                  "jti": secrets.token_hex(16)}  # fmt: skip
        assert isinstance(self.key, Key)
        return jwt.encode({"alg": "EdDSA", "kid": self.key.id}, claims, self.key.jwk, algorithms=["EdDSA"])


class RenewsItsTokenEarly(Spoiled):
    """Every twelfth request comes with a new token."""

    count = 0

    def _token(self) -> str:
        self.count += 1
        if self.count % 12 == 0:
            self.tokens.forget()
        return super()._token()


class LooksBeforeItWrites(Spoiled):
    """Each write is preceded by a read of what is there."""

    def _once(self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes) -> Reached:
        if operation.signed and operation.operation_id.startswith(("create", "open", "register")):
            self._send("GET", f"{self.base_url}/v1/capabilities", {"Accept-Language": "en"}, httpx2.Timeout(5))
        return super()._once(operation, url, headers, content)


class AsksInEnglish(Spoiled):
    """Texts are asked for in English, compressed or not."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        return url, {**headers, "Accept-Language": "en-GB, en;q=0.8", "Accept-Encoding": "identity"}, content


class ReadsInSmallPages(Spoiled):
    """Lists are read two by two."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id.startswith("list") and operation.operation_id != "listEvents":
            url += ("&" if "?" in url else "?") + "limit=2"
        return url, headers, content


class ReadsInLongPages(Spoiled):
    """Lists are read by five hundred."""

    def spoil(self, operation: Operation, url: str, headers: Headers, content: bytes) -> Sent:
        if operation.operation_id.startswith("list") and operation.operation_id != "listEvents":
            url += ("&" if "?" in url else "?") + "limit=500"
        return url, headers, content


class TakesItsTime(Spoiled):
    """Everything takes a little longer than it must."""

    def _once(self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes) -> Reached:
        time.sleep(0.02)
        return super()._once(operation, url, headers, content)


class _Named(GoodVendor):
    """Uses references of its own, whatever the suite proposes."""

    def actions(self) -> dict[str, Any]:
        return {name: self._renamed(action) for name, action in super().actions().items()}

    def _renamed(self, action: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        return lambda given: action(_renamed(given))


class _Elsewise(GoodVendor):
    """Answers deliveries in another lawful way."""

    taken = 200

    def webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        status, text = super().webhook(headers, body)
        return (self.taken if status == 204 else 403 if status == 401 else status), text


class _Accepted(_Elsewise):
    """Deliveries are taken by 202."""

    taken = 202


class _InTheBackground(GoodVendor):
    """Some actions are taken on at once, and carried out a moment later."""

    def actions(self) -> dict[str, Any]:
        found = super().actions()
        for name in ("add_material", "schedule_lessons"):
            found[name] = self._later(found[name])
        return found

    def _later(self, action: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def start(given: dict[str, Any]) -> Any:
            threading.Timer(0.05, action, (given,)).start()
            return driver.TakenOn()

        return start


TRANSPORTS: tuple[type[Transport], ...] = (
    WritesMembersBackwards, WritesWithIndentation, EscapesEverything, WritesTimesInUtc, WritesFractionsOfSeconds,
    QuotesItsKeys, WritesHeadersInLowerCase, SaysItsCharset, SendsMoreHeaders, ClosesEveryConnection, SendsInChunks,
    HasAClockBehind, HasAClockAhead, MakesLongNonces, SignsForAMinute, NamesItsAlgorithmAsBefore, RenewsItsTokenEarly,
    LooksBeforeItWrites, AsksInEnglish, ReadsInSmallPages, ReadsInLongPages, TakesItsTime,
)  # fmt: skip
VENDORS: dict[str, type[GoodVendor]] = {
    "UsesReferencesOfItsOwn": _Named, "TakesDeliveriesBy200": _Elsewise, "TakesDeliveriesBy202": _Accepted,
    "WorksInTheBackground": _InTheBackground,
}  # fmt: skip


def variations(profile: str) -> dict[str, Callable[..., Any]]:
    """The unusual, lawful systems of a profile, by name."""
    if profile == "bank":
        return {kind.__name__: _bank(kind) for kind in TRANSPORTS}
    own: dict[str, Callable[..., Any]] = dict(VENDORS)
    return {
        **own,
        **{kind.__name__: type(kind.__name__, (GoodVendor,), {"transport_type": kind}) for kind in TRANSPORTS},
    }


def _bank(kind: type[Transport]) -> Callable[..., GoodBank]:
    made = type(kind.__name__, (GoodBank,), {"transport_type": lambda self: kind})
    return lambda platform, client_id, key, state, policy: made(platform, client_id, key, state, None, policy=policy)


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _backwards(item) for name, item in reversed(value.items())}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 50):
        yield content[start : start + 50]


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: f"S:{item}" if name == "external_id" else _renamed(item) for name, item in value.items()}
    return [_renamed(item) for item in value] if isinstance(value, list) else value
