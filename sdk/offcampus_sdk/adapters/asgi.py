"""A receiver as an ASGI application: FastAPI and Starlette mount it, `app.mount("/webhooks", asgi(receiver))`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from offcampus_sdk.adapters import BODY_MAX, reply_to
from offcampus_sdk.webhooks import Receiver

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def asgi(receiver: Receiver) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The application. The handler runs in a thread: it may block without holding up the event loop."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"a receiver takes HTTP, not {scope['type']}")
        body, more = b"", True
        while more and len(body) <= BODY_MAX:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reply = await asyncio.to_thread(reply_to, receiver, headers, body)
        await send({"type": "http.response.start", "status": reply.status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return application
