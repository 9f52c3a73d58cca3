"""A receiver as a Flask view: `app.post("/webhooks")(flask_view(receiver))`. Needs Flask, which the SDK does not."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from offcampus_sdk.adapters import reply_to
from offcampus_sdk.webhooks import Receiver


def flask_view(receiver: Receiver) -> Callable[[], Response]:
    """The view function."""

    def receive_webhook() -> Response:
        # Flask's own limit (MAX_CONTENT_LENGTH) guards the reading.
        reply = reply_to(receiver, dict(request.headers.items()), request.get_data(cache=False))
        return Response(status=reply.status)

    return receive_webhook
