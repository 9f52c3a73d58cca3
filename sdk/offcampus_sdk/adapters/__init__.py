"""A receiver in the framework that a product has: `wsgi`, `asgi` (FastAPI, Starlette), `flask`, `django`.

Each hands the raw bytes on before anything has parsed them, takes at most a megabyte, and answers what the receiver
answers. A handler that raises is answered 500, so that the platform comes again; its text reaches nobody outside.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from offcampus_sdk.webhooks import Receiver, Reply

BODY_MAX = 1_000_000
logger = logging.getLogger("offcampus_sdk.webhooks")


def reply_to(receiver: Receiver, headers: Mapping[str, str], body: bytes) -> Reply:
    """The receiver's reply; 500 when the handler could not do its work."""
    if len(body) > BODY_MAX:
        return Reply(413, "too large")
    try:
        return receiver.receive(headers, body)
    except Exception:
        logger.exception("an event was not handled; it will come again")
        return Reply(500, "not handled")
