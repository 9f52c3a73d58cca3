"""Typed Python client of the standard: signing, safe retries, durable reporting, webhooks.

from offcampus_sdk import Client, Key
client = Client("https://platform.example", "pty_…", Key.load(Path("key.json")))
order = client.orders.create(Order(...))
"""

from offcampus_sdk.client import AsyncClient, Client
from offcampus_sdk.errors import (
    AuthProblem,
    Conflict,
    NotFound,
    OffcampusError,
    ProblemError,
    RequestProblem,
    RuleRefused,
    ServerTrouble,
    TransportTrouble,
    UnexpectedAnswer,
)
from offcampus_sdk.group import BatchRefusals, raise_refusals
from offcampus_sdk.keys import Key, KeyFolder, KeyRing
from offcampus_sdk.retries import RetryPolicy

__all__ = [
    "AsyncClient",
    "AuthProblem",
    "BatchRefusals",
    "Client",
    "Conflict",
    "Key",
    "KeyFolder",
    "KeyRing",
    "NotFound",
    "OffcampusError",
    "ProblemError",
    "RequestProblem",
    "RetryPolicy",
    "RuleRefused",
    "ServerTrouble",
    "TransportTrouble",
    "UnexpectedAnswer",
    "raise_refusals",
]
