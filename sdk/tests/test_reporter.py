"""The durable reporter: killed at any point, it loses nothing and sends nothing twice in effect."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from offcampus_sdk import Client, Key, models
from offcampus_sdk.reporter import Reporter

CHILD = """
import sys
from pathlib import Path
from offcampus_sdk import Client, Key, models
from offcampus_sdk.reporter import Reporter
url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
client = Client(url, "pty_1", Key.load(folder / "key.json"))
reporter = Reporter(client, folder / "spool.db", batch_size=7)
for number in range(count):
    proof = models.ConsumptionRecordProof(kind="roll_call", reference="r", recorded_at="2026-01-01T10:00:00+08:00")
    reporter.add(models.ConsumptionRecord(
        external_id=f"con-{number}", institution_id="ins_1", order_id="ord_1", type="lesson", class_hours_centi=100,
        occurred_from="2026-01-01T10:00:00+08:00", occurred_until="2026-01-01T11:00:00+08:00", proof=proof,
        notified_at="2026-01-01T12:00:00+08:00"))
reporter.drain()
print("drained", flush=True)
"""


class Platform:
    """Takes batches as the standard says: one effect per key, duplicates by external_id; may lose answers."""

    def __init__(self, *, lose: float = 0.0, refuse: frozenset[str] = frozenset()) -> None:
        self.records: dict[str, Any] = {}
        self.effects: dict[str, int] = {}
        self.bodies: dict[str, bytes] = {}
        self.reused = 0
        self._random, self._lose, self._refuse = random.Random(3), lose, refuse
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._say(200, {"issuer": platform.url})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/token":
                    self._say(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": ""})
                    return
                answer = platform.take(self.headers["Idempotency-Key"], body)
                if platform._random.random() < platform._lose:
                    self.close_connection = True
                    return
                self._say(207, answer)

            def _say(self, status: int, document: Any) -> None:
                payload = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, key: str, body: bytes) -> Any:
        if self.bodies.setdefault(key, body) != body:
            self.reused += 1
        results = []
        for index, item in enumerate(json.loads(body)["items"]):
            external_id = item["external_id"]
            entry = {"index": index, "external_id": external_id}
            if external_id in self._refuse:
                refused = {"type": "t", "title": "t", "status": 422, "code": "consumption.duplicate", "request_id": "r"}
                results.append({**entry, "status": 422, "outcome": "refused", "problem": refused})
                continue
            known = external_id in self.records
            self.records.setdefault(external_id, item)
            if not known:
                self.effects[external_id] = self.effects.get(external_id, 0) + 1
            outcome = "duplicate" if known else "accepted"
            results.append({**entry, "status": 201, "outcome": outcome, "id": f"con_{external_id}", "version": 1})
        return {"results": results, "summary": {"accepted": 0, "duplicate": 0, "refused": 0}}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Key.generate().save(tmp_path / "key.json")
    return tmp_path


def test_kills_lose_nothing_and_double_nothing(folder: Path) -> None:
    """Ten kills at random moments, a platform that loses answers: every record arrives, once in effect."""
    platform, chance = Platform(lose=0.2), random.Random(11)
    try:
        for _ in range(10):
            child = subprocess.Popen([sys.executable, "-c", CHILD, platform.url, str(folder), "60"])
            time.sleep(chance.uniform(0.15, 0.5))
            child.send_signal(signal.SIGKILL)
            child.wait()
        subprocess.run([sys.executable, "-c", CHILD, platform.url, str(folder), "60"], check=True, timeout=60)
    finally:
        platform.stop()
    assert set(platform.records) == {f"con-{number}" for number in range(60)}
    assert set(platform.effects.values()) == {1}
    assert platform.reused == 0, "a key was used for another batch"


def record(number: int) -> models.ConsumptionRecord:
    proof = models.ConsumptionRecordProof(kind="roll_call", reference="r", recorded_at="2026-01-01T10:00:00+08:00")
    return models.ConsumptionRecord(
        external_id=f"con-{number}", institution_id="ins_1", order_id="ord_1", type="lesson", class_hours_centi=100,
        occurred_from="2026-01-01T10:00:00+08:00", occurred_until="2026-01-01T11:00:00+08:00", proof=proof,
        notified_at="2026-01-01T12:00:00+08:00",
    )  # fmt: skip


def test_refused_records_are_set_aside_with_their_problem(folder: Path) -> None:
    """One bad record does not stop the others, is told with its reason, and is never sent again."""
    platform = Platform(refuse=frozenset({"con-1"}))
    client = Client(platform.url, "pty_1", Key.load(folder / "key.json"))
    reporter = Reporter(client, folder / "spool.db")
    try:
        assert [reporter.add(record(number)) for number in (0, 1, 2, 1)] == [True, True, True, False]
        progress = reporter.drain()
        assert (progress.waiting, progress.done, progress.refused) == (0, 2, 1)
        [refused] = reporter.refused()
        assert (refused.external_id, refused.problem.code) == ("con-1", "consumption.duplicate")
        sent = len(platform.bodies)
        reporter.drain()
        assert len(platform.bodies) == sent
        assert reporter.id_of("con-0") == "con_con-0"
    finally:
        reporter.close()
        client.close()
        platform.stop()


def test_the_spool_is_as_durable_as_it_says(folder: Path) -> None:
    """WAL with full synchronisation, strict tables."""
    client = Client("http://127.0.0.1:9", "pty_1", Key.load(folder / "key.json"))
    reporter = Reporter(client, folder / "spool.db")
    assert reporter._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert reporter._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    with pytest.raises(sqlite3.IntegrityError):
        reporter._db.execute("INSERT INTO records (external_id, document) VALUES (NULL, 'x')")
    reporter.close()
    client.close()
