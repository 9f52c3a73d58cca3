"""Take the platform's events: verified, each handled once, answered at once. Any framework does; this is plain WSGI.

Run: python receive_webhooks.py https://platform.example pty_… vendor.json https://vendor.example/webhooks
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.simple_server import make_server

from offcampus_sdk import Client, Key, models
from offcampus_sdk.webhooks import Receiver

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def handle(event: models.Event) -> None:
    """An event says what changed, not how: read the resource when you need it. Raise to have it sent again."""
    print(event.type, event.data.link)


class Application:
    """POST of a delivery to the receiver; the receiver's status goes back as it is."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        reply = self._receiver.receive(headers, body)
        start_response(f"{reply.status} {'OK' if reply.status < 300 else 'Refused'}", [("Content-Length", "0")])
        return [b""]


def main(base_url: str, client_id: str, key_file: str, url: str) -> None:
    """Serve on port 8000; `url` is the address exactly as it was subscribed."""
    with Client(base_url, client_id, Key.load(Path(key_file))) as client:
        application = Application(Receiver(url, client.platform_keys, Path("handled.db"), handle))
        make_server("", 8000, application).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
