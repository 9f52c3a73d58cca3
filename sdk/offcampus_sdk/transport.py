"""Carries out conversations over HTTP, one after another. Safe to share among threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from offcampus_spec.operations import Operation

from offcampus_sdk.exchange import (
    BATCH_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    TIMEOUT_S,
    Answer,
    AskForToken,
    Exchange,
    Reached,
    Try,
    Wait,
)

TIMEOUT = httpx2.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
BATCH_TIMEOUT = httpx2.Timeout(BATCH_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)


@dataclass
class Transport(Exchange):
    """Sends operations for one client. `http` may be any transport of the HTTP library, for tests a fake."""

    http: httpx2.BaseTransport | None = field(default=None, kw_only=True)
    sleep: Callable[[float], None] = field(default=time.sleep, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._client = httpx2.Client(transport=self.http, timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self._one_token_at_a_time = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self, operation_id: str, *, path: Mapping[str, str] | None = None, query: Mapping[str, Any] | None = None,
        body: Any = None, key: str | None = None, if_match: int | None = None,
    ) -> Answer:  # fmt: skip
        """Carry out one operation and give the raw answer.

        Args:
            key: the Idempotency-Key; made here when the operation needs one and none is given. Give one to repeat an
                intent after a restart.
            if_match: the version that a change is based on.

        Raises:
            ProblemError: the platform refused, by family.
            TransportTrouble: no answer within the policy's deadline.
        """
        answer: Answer = self._hold(self.conversation(operation_id, path or {}, query or {}, body, key, if_match))
        return answer

    def _hold(self, conversation: Any) -> Any:
        """Carry out the steps of a conversation to its end."""
        outcome: Any = None
        while True:
            try:
                step = conversation.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = None
            if isinstance(step, Wait):
                self.sleep(step.seconds)
            elif isinstance(step, AskForToken):
                outcome = self._send(
                    "POST", f"{self.base_url}/v1/token", {}, TIMEOUT, data=self._token_form(step.issuer)
                )
            elif isinstance(step, Try):
                outcome = self._once(step.operation, step.url, step.headers, step.content)

    def _once(self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes) -> Reached:
        sent = dict(headers)
        if operation.scope is not None:
            sent["Authorization"] = f"Bearer {self._token()}"
        if operation.signed:
            self._sign(operation, url, sent, content)
        return self._send(operation.method, url, sent, BATCH_TIMEOUT if operation.batch else TIMEOUT, content=content)

    def _token(self) -> str:
        with self._one_token_at_a_time:
            return self.tokens.current(self.key.id) or self._hold(self.token_conversation())

    def _send(self, method: str, url: str, headers: Mapping[str, str], timeout: httpx2.Timeout, **body: Any) -> Reached:
        try:
            response = self._client.request(method, url, headers=headers, timeout=timeout, **body)
        except httpx2.TransportError as error:
            return None, type(error).__name__
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lower, response.content), ""
