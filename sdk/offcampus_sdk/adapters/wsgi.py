"""A receiver as a WSGI application (PEP 3333): `application = wsgi(receiver)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from offcampus_sdk.adapters import BODY_MAX, reply_to
from offcampus_sdk.webhooks import Receiver

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def wsgi(receiver: Receiver) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The application; mount it at the path that was subscribed."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        body = environ["wsgi.input"].read(min(int(length), BODY_MAX + 1)) if length.isdigit() else b""
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        reply = reply_to(receiver, headers, body)
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", [("Content-Length", "0")])
        return [b""]

    return application
