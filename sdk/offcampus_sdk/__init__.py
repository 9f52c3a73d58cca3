"""Typed Python client of the standard: signing, safe retries, durable reporting, webhooks.

from offcampus_sdk import Client, Key
client = Client("https://platform.example", "pty_…", Key.load(Path("key.json")))
order = client.orders.create(Order(...))
"""

from offcampus_sdk.client import Client
from offcampus_sdk.errors import (
    AuthProblem,
    Conflict,
    NotFound,
    OffcampusError,
    RequestProblem,
    RuleRefused,
    ServerTrouble,
    TransportTrouble,
)
from offcampus_sdk.keys import Key

__all__ = [
    "AuthProblem",
    "Client",
    "Conflict",
    "Key",
    "NotFound",
    "OffcampusError",
    "RequestProblem",
    "RuleRefused",
    "ServerTrouble",
    "TransportTrouble",
]
