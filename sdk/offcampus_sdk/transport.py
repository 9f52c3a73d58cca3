"""One operation over HTTP: path and flags from the contract, signature and token, safe retries, errors by family."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx2
import msgspec
from offcampus_spec.operations import Operation, operations

from offcampus_sdk.auth import ASSERTION_TYPE, Tokens, client_assertion
from offcampus_sdk.errors import TransportTrouble, UnexpectedAnswer, problem_error
from offcampus_sdk.keys import Key
from offcampus_sdk.retries import RetryPolicy, may_repeat, retried
from offcampus_sdk.signing import sign_request

TIMEOUT = httpx2.Timeout(10.0, connect=3.05)
BATCH_TIMEOUT = httpx2.Timeout(30.0, connect=3.05)


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


Wanted = TypeVar("Wanted")


def decoded(answer: Answer, wanted: type[Wanted]) -> Wanted:
    """The body of an answer as a model. Raises UnexpectedAnswer when it does not have the model's shape."""
    try:
        return msgspec.json.decode(answer.body, type=wanted)
    except msgspec.MsgspecError as error:
        # The message names the place and the type, never a value.
        raise UnexpectedAnswer(f"the answer is no {wanted.__name__}: {error}") from None


@dataclass
class Transport:
    """Sends operations for one client. `http` may be any transport of the HTTP library, for tests a fake."""

    base_url: str
    client_id: str
    key: Key
    http: httpx2.BaseTransport | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    language: str = "zh-CN"
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._client = httpx2.Client(transport=self.http, timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self._issuer: str | None = None
        self.tokens = Tokens(self._fetch_token)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
        if_match: int | None = None,
    ) -> Answer:
        """Carry out one operation.

        Args:
            key: the Idempotency-Key; made here when the operation needs one and none is given. Give one to repeat an
                intent after a restart.
            if_match: the version that a change is based on.

        Raises:
            ProblemError: the platform refused, by family.
            TransportTrouble: no answer within the policy's deadline.
        """
        operation = operations()[operation_id]
        url = self._url(operation, path or {}, query or {})
        content = msgspec.json.encode(body) if body is not None else b""
        headers = self._headers(operation, content, key, if_match)
        answer = self._repeatedly(operation, url, headers, content)
        if answer.status >= 400:
            raise problem_error(answer.status, answer.problem())
        return answer

    def _url(self, operation: Operation, path: Mapping[str, str], query: Mapping[str, Any]) -> str:
        address = operation.path
        for name, value in path.items():
            address = address.replace(f"{{{name}}}", value)
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

    def _repeatedly(self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        repeatable = may_repeat(operation.method, has_key="Idempotency-Key" in headers)
        deadline = self.now() + self.policy.deadline_s
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            answer, trouble = self._once(operation, url, headers, content)
            if answer is not None and answer.status == 401 and not renewed and operation.scope is not None:
                # A token may have been revoked before its time: one new one, then it is told.
                renewed = True
                self.tokens.forget()
                continue
            if answer is not None and not retried(answer.status, str(answer.problem().get("code"))):
                return answer
            wait = self.policy.wait(attempt, _retry_after(answer))
            if not repeatable or attempt >= self.policy.attempts or self.now() + wait > deadline:
                if answer is not None:
                    return answer
                raise TransportTrouble(f"{operation.operation_id}: no answer after {attempt} attempt(s): {trouble}")
            self.sleep(wait)

    def _once(
        self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[Answer | None, str]:
        sent = dict(headers)
        if operation.scope is not None:
            sent["Authorization"] = f"Bearer {self.tokens.current()}"
        if operation.signed:
            self._sign(operation, url, sent, content)
        timeout = BATCH_TIMEOUT if operation.batch else TIMEOUT
        try:
            response = self._client.request(operation.method, url, headers=sent, content=content, timeout=timeout)
        except httpx2.TransportError as error:
            return None, type(error).__name__
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lower, response.content), ""

    def _sign(self, operation: Operation, url: str, headers: dict[str, str], content: bytes) -> None:
        sign_request(self.key, operation.method, url, headers, content, int(self.now()))

    def _assertion(self, issuer: str) -> str:
        return client_assertion(self.key, self.client_id, issuer, int(self.now()))

    def _fetch_token(self) -> dict[str, Any]:
        """A token; each attempt makes an assertion of its own, since a jti counts although its answer was lost."""
        deadline = self.now() + self.policy.deadline_s
        attempt = 0
        while True:
            attempt += 1
            answer, trouble = self._ask_for_token()
            if answer is not None and answer.status == 200:
                token: dict[str, Any] = msgspec.json.decode(answer.body)
                return token
            wait = self.policy.wait(attempt, _retry_after(answer))
            passing = answer is None or retried(answer.status, None)
            if not passing or attempt >= self.policy.attempts or self.now() + wait > deadline:
                if answer is not None:
                    raise problem_error(answer.status, answer.problem())
                raise TransportTrouble(f"no token after {attempt} attempt(s): {trouble}")
            self.sleep(wait)

    def _ask_for_token(self) -> tuple[Answer | None, str]:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(self._issuer_name()),
        }
        try:
            response = self._client.post(f"{self.base_url}/v1/token", data=form)
        except httpx2.TransportError as error:
            return None, type(error).__name__
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lower, response.content), ""

    def _issuer_name(self) -> str:
        if self._issuer is None:
            answer = self._repeatedly(
                operations()["getServerMetadata"],
                f"{self.base_url}/.well-known/oauth-authorization-server",
                {"Accept-Language": self.language},
                b"",
            )
            if answer.status != 200:
                raise problem_error(answer.status, answer.problem())
            self._issuer = str(msgspec.json.decode(answer.body)["issuer"])
        return self._issuer


def _retry_after(answer: Answer | None) -> float | None:
    text = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(text) if text.isdigit() else None
