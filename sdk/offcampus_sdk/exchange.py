"""One operation as a conversation, without any I/O: what is sent, when it is sent again, how long to wait.

`Transport` and `AsyncTransport` carry out the same conversations, so the two clients cannot differ in what they send
or repeat. Invariants:

- an Idempotency-Key is made before the first attempt and kept over all of them;
- each attempt is signed anew with a nonce of its own, and each token request has an assertion of its own;
- a request is repeated only where that is safe (`retries.may_repeat`), and never past the policy's deadline;
- a clock that is off is corrected from the platform's Date, once a conversation, and only for what is signed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from offcampus_spec.operations import Operation, operations

from offcampus_sdk.auth import ASSERTION_TYPE, TokenStore, client_assertion
from offcampus_sdk.errors import TransportTrouble, UnexpectedAnswer, problem_error
from offcampus_sdk.keys import KeyRing, Signer
from offcampus_sdk.observation import Observed, Observer, log_attempt
from offcampus_sdk.retries import RetryPolicy, may_repeat, retried
from offcampus_sdk.signing import sign_request

TIMEOUT_S, BATCH_TIMEOUT_S, CONNECT_TIMEOUT_S = 10.0, 30.0, 3.05
CLOCK_CODES = frozenset({"signature.clock_skew", "signature.expired", "auth.client_assertion"})
CLOCK_OFF_S = 5.0


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers in lower case, the body's bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def problem(self) -> Mapping[str, Any]:
        """The problem document, or what can be said without one."""
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            found = None
        return found if isinstance(found, dict) else {"code": "unknown", "title": f"status {self.status}"}


Reached = tuple[Answer | None, str]
"""An answer, or None and the kind of trouble."""


@dataclass(frozen=True)
class Try:
    """Send this request once (with token and signature where the operation asks); answer with `Reached`."""

    operation: Operation
    url: str
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class AskForToken:
    """Send a token request with a fresh assertion for this issuer; answer with `Reached`."""

    issuer: str


@dataclass(frozen=True)
class Wait:
    """Wait so many seconds."""

    seconds: float


Conversation = Generator[Try | Wait, Any, Answer]
TokenConversation = Generator[Try | AskForToken | Wait, Any, str]
Wanted = TypeVar("Wanted")


def decoded(answer: Answer, wanted: type[Wanted]) -> Wanted:
    """The body of an answer as a model. Raises UnexpectedAnswer when it does not have the model's shape."""
    try:
        return msgspec.json.decode(answer.body, type=wanted)
    except msgspec.MsgspecError as error:
        # The message names the place and the type, never a value.
        raise UnexpectedAnswer(f"the answer is no {getattr(wanted, '__name__', wanted)}: {error}") from None


@dataclass
class Exchange:
    """What one party and one platform say to each other.

    Args:
        keys: a key, or a ring of keys for rotation.
        language: of texts for people, zh-CN or en.
        observer: is told of each attempt, for one's own metrics; never with personal data or secrets.
    """

    base_url: str
    client_id: str
    keys: Signer | KeyRing
    policy: RetryPolicy = field(default_factory=RetryPolicy, kw_only=True)
    language: str = field(default="zh-CN", kw_only=True)
    observer: Observer | None = field(default=None, kw_only=True)
    now: Callable[[], float] = field(default=time.time, kw_only=True)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._ring = self.keys if isinstance(self.keys, KeyRing) else KeyRing([self.keys])
        self._issuer: str | None = None
        self._clock_offset_s = 0.0
        self.tokens = TokenStore()

    @property
    def key(self) -> Signer:
        """The key that signs now."""
        return self._ring.current

    def conversation(
        self, operation_id: str, path: Mapping[str, str], query: Mapping[str, Any], body: Any, key: str | None,
        if_match: int | None,
    ) -> Conversation:  # fmt: skip
        """One operation until its answer. Raises ProblemError by family, TransportTrouble."""
        operation = operations()[operation_id]
        content = msgspec.json.encode(body) if body is not None else b""
        attempt = Try(
            operation, self._url(operation, path, query), self._headers(operation, content, key, if_match), content
        )
        answer = yield from self._repeatedly(attempt)
        if answer.status >= 400:
            raise problem_error(answer.status, answer.problem(), _retry_after(answer))
        return answer

    def token_conversation(self) -> TokenConversation:
        """A new token; a jti counts although its answer was lost, so each attempt makes an assertion of its own."""
        deadline = self.now() + self.policy.deadline_s
        issuer = yield from self._issuer_name()
        attempt, corrected = 0, False
        while True:
            attempt += 1
            signer = self.key
            answer, trouble = yield AskForToken(issuer)
            if answer is not None and answer.status == 200:
                return self.tokens.keep(msgspec.json.decode(answer.body), signer.id)
            if answer is not None and answer.status == 401:
                if not corrected and self._correct_clock(answer):
                    corrected = True
                    continue
                if self._ring.refused(signer):
                    continue
            wait = self.policy.wait(attempt, _retry_after(answer))
            passing = answer is None or retried(answer.status, None)
            if not passing or attempt >= self.policy.attempts or self.now() + wait > deadline:
                if answer is not None:
                    raise problem_error(answer.status, answer.problem(), _retry_after(answer))
                raise TransportTrouble(f"no token after {attempt} attempt(s): {trouble}")
            yield Wait(wait)

    def _repeatedly(self, request: Try) -> Conversation:
        operation = request.operation
        repeatable = may_repeat(operation.method, has_key="Idempotency-Key" in request.headers)
        deadline = self.now() + self.policy.deadline_s
        attempt, renewed = 0, False
        while True:
            attempt += 1
            began = self.now()
            answer: Answer | None
            answer, trouble = yield request
            wait = self.policy.wait(attempt, _retry_after(answer))
            again = repeatable and attempt < self.policy.attempts and self.now() + wait <= deadline
            self._tell(operation, attempt, began, answer, trouble)
            if answer is None:
                if not again:
                    raise TransportTrouble(f"{operation.operation_id}: no answer after {attempt} attempt(s): {trouble}")
            elif answer.status == 401 and operation.scope is not None and not renewed:
                # A token may have been revoked before its time: one new one, then it is told.
                renewed = True
                self._correct_clock(answer)
                self.tokens.forget()
                continue
            elif not retried(answer.status, str(answer.problem().get("code"))) or not again:
                return answer
            yield Wait(wait)

    def _issuer_name(self) -> Generator[Try | Wait, Any, str]:
        if self._issuer is None:
            operation = operations()["getServerMetadata"]
            headers = {"Accept-Language": self.language}
            answer = yield from self._repeatedly(Try(operation, self.base_url + operation.path, headers, b""))
            if answer.status != 200:
                raise problem_error(answer.status, answer.problem(), _retry_after(answer))
            self._issuer = str(msgspec.json.decode(answer.body)["issuer"])
        return self._issuer

    def _url(self, operation: Operation, path: Mapping[str, str], query: Mapping[str, Any]) -> str:
        address = operation.path
        for name, value in path.items():
            address = address.replace(f"{{{name}}}", quote(value, safe=""))
        given = {name: value for name, value in query.items() if value is not None}
        return self.base_url + address + (f"?{urlencode(given)}" if given else "")

    def _headers(self, operation: Operation, content: bytes, key: str | None, if_match: int | None) -> dict[str, str]:
        headers = {"Accept-Language": self.language}
        if content:
            headers["Content-Type"] = operation.request_media_type or "application/json"
        if operation.idempotency == "key":
            headers["Idempotency-Key"] = key or secrets.token_urlsafe(18)
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        return headers

    def _sign(self, operation: Operation, url: str, headers: dict[str, str], content: bytes) -> None:
        sign_request(self.key, operation.method, url, headers, content, self._signing_time())

    def _assertion(self, issuer: str) -> str:
        return client_assertion(self.key, self.client_id, issuer, self._signing_time())

    def _token_form(self, issuer: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(issuer),
        }

    def _signing_time(self) -> int:
        return int(self.now() + self._clock_offset_s)

    def _correct_clock(self, answer: Answer) -> bool:
        """Take the platform's time for what we sign when it refuses our times and the two clocks differ."""
        said = answer.headers.get("date")
        if said is None or answer.problem().get("code") not in CLOCK_CODES:
            return False
        try:
            offset = parsedate_to_datetime(said).timestamp() - self.now()
        except ValueError:
            return False
        if abs(offset - self._clock_offset_s) < CLOCK_OFF_S:
            return False
        self._clock_offset_s = offset
        return True

    def _tell(self, operation: Operation, attempt: int, began: float, answer: Answer | None, trouble: str) -> None:
        refused = answer is not None and answer.status >= 400
        problem = answer.problem() if answer is not None and refused else {}
        observed = Observed(
            operation=operation.operation_id, attempt=attempt, status=answer.status if answer else None,
            trouble=str(problem.get("code", "")) if answer else trouble,
            request_id=str(problem.get("request_id", "")), seconds=self.now() - began,
        )  # fmt: skip
        log_attempt(observed)
        if self.observer is not None:
            self.observer(observed)


def _retry_after(answer: Answer | None) -> float | None:
    text = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(text) if text.isascii() and text.isdigit() else None
