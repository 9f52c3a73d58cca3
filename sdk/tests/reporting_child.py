"""A product in a process of its own, to be killed: spools its records and sends them, as often as it is started.

python reporting_child.py BASE_URL FOLDER COUNT SPEED    (SPEED: how many seconds of waiting pass in one)
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import msgspec
from offcampus_sdk import Client, Key, RetryPolicy, models
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.testing.documents import example

TYPICAL = msgspec.convert(example("consumption-record"), type=models.ConsumptionRecord)


def record(number: int) -> models.ConsumptionRecord:
    """The n-th lesson: always the same one; every thousandth is of the same order."""
    order_id = f"ord_01m01nsaw0e5hbt45jqsn7{number % 1000:04d}"
    return msgspec.structs.replace(TYPICAL, external_id=f"con-{number}", order_id=order_id)


class Hurried(threading.Event):
    """An event whose waiting passes faster, so that an hour of outage takes seconds."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self.speed = speed

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else timeout / self.speed)


def main(base_url: str, folder: Path, count: int, speed: float) -> None:
    """Spool what is not spooled yet, then send until nothing waits."""
    policy = RetryPolicy(attempts=2, first_wait_s=0.0, longest_wait_s=0.0)
    client = Client(base_url, "pty_01hq5z8w9mabcdefghjkmnpqrs", Key.load(folder / "key.json"), policy=policy)
    began = time.time()
    with Reporter(client, folder / "spool.db", now=lambda: began + (time.time() - began) * speed) as reporter:
        for start in range(0, count, 1000):
            reporter.add_all(record(number) for number in range(start, min(start + 1000, count)))
        stop = Hurried(speed)
        threading.Thread(target=_stop_when_done, args=(folder / "spool.db", stop), daemon=True).start()
        reporter.run(stop, idle_s=1.0)


def _stop_when_done(spool: Path, stop: threading.Event) -> None:
    import sqlite3

    watching = sqlite3.connect(spool)
    while watching.execute("SELECT count(*) FROM offcampus_records WHERE state = 'waiting'").fetchone()[0]:
        time.sleep(0.02)
    stop.set()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
