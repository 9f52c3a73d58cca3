"""Four tasks with the SDK; the same by plain HTTP stand in `without_the_sdk.py`. A test runs both and counts lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from offcampus_sdk import Client, Key, models
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.webhooks import Receiver


def place_an_order(base_url: str, client_id: str, key_file: Path, order: dict[str, Any]) -> str:
    """Signed, repeated where that is safe, one effect."""
    with Client(base_url, client_id, Key.load(key_file)) as client:
        return client.orders.create(msgspec.convert(order, type=models.Order)).id


def read_all_orders(base_url: str, client_id: str, key_file: Path) -> list[str]:
    """Every page to the end."""
    with Client(base_url, client_id, Key.load(key_file)) as client:
        return [order.id for order in client.orders.list()]


def report_durably(base_url: str, client_id: str, key_file: Path, spool: Path, records: list[dict[str, Any]]) -> int:
    """Nothing lost, nothing counted twice, whatever is killed when."""
    with Client(base_url, client_id, Key.load(key_file)) as client, Reporter(client, spool) as reporter:
        reporter.add_all(msgspec.convert(record, type=models.ConsumptionRecord) for record in records)
        return reporter.drain().done


def receive_an_event(
    url: str,
    jwks: list[dict[str, Any]],
    store: Path,
    handle: Callable[[Any], None],
    headers: Mapping[str, str],
    body: bytes,
) -> int:
    """Verified over the raw bytes, handled once, older ones left alone."""
    receiver = Receiver(url, lambda: jwks, store, handle)
    status = receiver.receive(headers, body).status
    receiver.close()
    return status
