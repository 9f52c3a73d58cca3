"""The SDK: what importing it costs, what signing and verifying cost, and what durability costs a reporter."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from offcampus_sdk import Key, models
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.signing import sign_event, sign_request, verify_event
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example

from benchmarks.measure import Line, per_second

BATCH = 500
IMPORT = "import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
URL = "https://vendor.example/webhooks"


def lines(records: int) -> list[Line]:
    """Every figure of the SDK; the platform is the fake in the same process, which validates each record too."""
    documents = [
        msgspec.convert({**example("consumption-record"), "external_id": f"c-{number}"}, type=models.ConsumptionRecord)
        for number in range(records)
    ]
    key = Key.generate()
    body = json.dumps(example("event")).encode()
    delivery = sign_event(key, URL, "evt_1", body, int(time.time()))
    jwks = [key.public_jwk()]
    return [
        Line("import offcampus_sdk", _import("offcampus_sdk") * 1000, "ms", "import httpx2", _import("httpx2") * 1000),
        Line("requests signed", per_second(500, lambda: [_sign(key, body) for _ in range(500)]), "requests/s"),
        Line(
            "deliveries verified",
            per_second(500, lambda: [verify_event(URL, delivery, body, jwks, int(time.time())) for _ in range(500)]),
            "deliveries/s",
        ),
        Line(
            "records reported through the spool", per_second(records, lambda: _durably(documents)), "records/s",
            "the same batches without it", per_second(records, lambda: _at_once(documents)),
        ),
    ]  # fmt: skip


def _import(name: str) -> float:
    """Seconds; the best of five fresh processes."""
    command = [sys.executable, "-c", IMPORT.format(name=name)]
    runs = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(5))
    return min(float(run.stdout) for run in runs)


def _sign(key: Key, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer t", "Idempotency-Key": "k" * 24}
    sign_request(key, "POST", "https://platform.example/v1/orders", headers, body, int(time.time()))


def _durably(records: list[models.ConsumptionRecord]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        FakePlatform().client() as client,
        Reporter(client, Path(folder) / "spool.db", batch_size=BATCH) as reporter,
    ):
        for record in records:
            reporter.add(record)  # one transaction each, as a product that reports lesson by lesson
        reporter.drain()


def _at_once(records: list[models.ConsumptionRecord]) -> None:
    with FakePlatform().client() as client:
        for start in range(0, len(records), BATCH):
            client.consumption_records.report(records[start : start + BATCH])
