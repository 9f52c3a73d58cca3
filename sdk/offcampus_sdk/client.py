"""The clients, synchronous and asynchronous, with the same operations under the same names.

    with Client("https://platform.example", "pty_…", Key.load(Path("vendor.json"))) as client:
        order = client.orders.create(models.Order(...))
        refund = client.refunds.request(models.Refund(...))

Every operation of the contracts is a method of a group (`surface.py`, generated): nothing is described twice here.
"""

from __future__ import annotations

from typing import Any, Self

import httpx2

from offcampus_sdk.async_surface import AsyncSurface
from offcampus_sdk.async_transport import AsyncTransport
from offcampus_sdk.keys import KeyRing, Signer
from offcampus_sdk.observation import Observer
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.surface import Surface
from offcampus_sdk.transport import Transport


class Client(Surface):
    """A party's client. Safe to share among threads.

    Args:
        base_url: the platform's address.
        client_id: what the platform gave (`pty_…`).
        key: the registered key, or a ring of keys for rotation without downtime.
        http: another HTTP transport, for tests a fake platform.
        policy: how often and how long a request is repeated where that is safe.
        language: of texts for people, zh-CN or en.
        observer: is told of each attempt, for one's own metrics (`observation.open_telemetry`).
        transport_type: a subclass of `Transport`, for tests of misbehaving clients.
    """

    def __init__(
        self, base_url: str, client_id: str, key: Signer | KeyRing, *, http: httpx2.BaseTransport | None = None,
        policy: RetryPolicy | None = None, language: str = "zh-CN", observer: Observer | None = None,
        transport_type: type[Transport] = Transport,
    ) -> None:  # fmt: skip
        self.transport = transport_type(
            base_url, client_id, key, http=http, policy=policy or RetryPolicy(), language=language, observer=observer
        )
        super().__init__(self.transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def platform_keys(self) -> list[dict[str, Any]]:
        """The platform's public keys, to verify webhooks and heads of its log with."""
        keys: list[dict[str, Any]] = self.jwks.get()["keys"]
        return keys


class AsyncClient(AsyncSurface):
    """The asynchronous twin of `Client`; one client belongs to one event loop."""

    def __init__(
        self, base_url: str, client_id: str, key: Signer | KeyRing, *, http: httpx2.AsyncBaseTransport | None = None,
        policy: RetryPolicy | None = None, language: str = "zh-CN", observer: Observer | None = None,
        transport_type: type[AsyncTransport] = AsyncTransport,
    ) -> None:  # fmt: skip
        self.transport = transport_type(
            base_url, client_id, key, http=http, policy=policy or RetryPolicy(), language=language, observer=observer
        )
        super().__init__(self.transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def platform_keys(self) -> list[dict[str, Any]]:
        """The platform's public keys, to verify webhooks and heads of its log with."""
        keys: list[dict[str, Any]] = (await self.jwks.get())["keys"]
        return keys
