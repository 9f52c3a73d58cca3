"""Take the platform's events: verified, each handled once, answered at once; first those that were missed.

Run: python receive_webhooks.py https://platform.example pty_… vendor.json https://vendor.example/webhooks
"""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from offcampus_sdk import Client, Key, models
from offcampus_sdk.adapters.wsgi import wsgi
from offcampus_sdk.webhooks import Dispatcher, Receiver

events = Dispatcher()


@events.on("order.*", "refund.*")
def money_moved(event: models.Event) -> None:
    """An event says what changed, not how: read the resource when you need it. Raise to have it sent again."""
    print(event.type, event.data.link)


def receiver(client: Client, url: str) -> Receiver:
    """`url` is the address exactly as it was subscribed; what happened while nobody listened is handled first."""
    made = Receiver(url, client.platform_keys, Path("handled.db"), events)
    made.catch_up(client)
    return made


def main(base_url: str, client_id: str, key_file: str, url: str) -> None:
    """Serve on port 8000."""
    with Client(base_url, client_id, Key.load(Path(key_file))) as client:
        make_server("", 8000, wsgi(receiver(client, url))).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
