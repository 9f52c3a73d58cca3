"""Carries out conversations over HTTP with asyncio. One client belongs to one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from offcampus_spec.operations import Operation

from offcampus_sdk.exchange import Answer, AskForToken, Exchange, Reached, Try, Wait
from offcampus_sdk.transport import BATCH_TIMEOUT, TIMEOUT


@dataclass
class AsyncTransport(Exchange):
    """The asynchronous twin of `Transport`."""

    http: httpx2.AsyncBaseTransport | None = field(default=None, kw_only=True)
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._client = httpx2.AsyncClient(transport=self.http, timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self._one_token_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self, operation_id: str, *, path: Mapping[str, str] | None = None, query: Mapping[str, Any] | None = None,
        body: Any = None, key: str | None = None, if_match: int | None = None,
    ) -> Answer:  # fmt: skip
        """Carry out one operation; arguments and errors are those of `Transport.call`."""
        answer: Answer = await self._hold(self.conversation(operation_id, path or {}, query or {}, body, key, if_match))
        return answer

    async def _hold(self, conversation: Any) -> Any:
        outcome: Any = None
        while True:
            try:
                step = conversation.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = None
            if isinstance(step, Wait):
                await self.sleep(step.seconds)
            elif isinstance(step, AskForToken):
                form = self._token_form(step.issuer)
                outcome = await self._send("POST", f"{self.base_url}/v1/token", {}, TIMEOUT, data=form)
            elif isinstance(step, Try):
                outcome = await self._once(step.operation, step.url, step.headers, step.content)

    async def _once(self, operation: Operation, url: str, headers: Mapping[str, str], content: bytes) -> Reached:
        sent = dict(headers)
        if operation.scope is not None:
            sent["Authorization"] = f"Bearer {await self._token()}"
        if operation.signed:
            self._sign(operation, url, sent, content)
        timeout = BATCH_TIMEOUT if operation.batch else TIMEOUT
        return await self._send(operation.method, url, sent, timeout, content=content)

    async def _token(self) -> str:
        async with self._one_token_at_a_time:
            return self.tokens.current(self.key.id) or await self._hold(self.token_conversation())

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], timeout: httpx2.Timeout, **body: Any
    ) -> Reached:
        try:
            response = await self._client.request(method, url, headers=headers, timeout=timeout, **body)
        except httpx2.TransportError as error:
            return None, type(error).__name__
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lower, response.content), ""
