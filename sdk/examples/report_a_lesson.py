"""Report what pupils attended, so that a crash at any moment loses nothing and reports nothing twice.

Run: python report_a_lesson.py https://platform.example pty_… vendor.json institution_id order_id
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from offcampus_sdk import Client, Key, models
from offcampus_sdk.reporter import Reporter


def lesson_just_taught(institution_id: str, order_id: str, now: datetime) -> models.ConsumptionRecord:
    """One class hour that ended a quarter of an hour ago; the roll call is the proof."""
    until = now - timedelta(minutes=15)
    proof = models.ConsumptionRecordProof(
        kind="roll_call", reference=f"roll-{until:%Y%m%d%H%M}", recorded_at=until.isoformat(timespec="seconds")
    )
    return models.ConsumptionRecord(
        external_id=f"{order_id}-{until:%Y%m%d%H%M}",  # the same lesson always has the same one
        institution_id=institution_id,
        order_id=order_id,
        type="lesson",
        class_hours_centi=100,
        occurred_from=(until - timedelta(minutes=45)).isoformat(timespec="seconds"),
        occurred_until=until.isoformat(timespec="seconds"),
        proof=proof,
        notified_at=now.isoformat(timespec="seconds"),
    )


def main(base_url: str, client_id: str, key_file: str, institution_id: str, order_id: str) -> int:
    """Spool, send, and show what was refused and why."""
    with Client(base_url, client_id, Key.load(Path(key_file))) as client:
        reporter = Reporter(client, Path("spool.db"))
        reporter.add(lesson_just_taught(institution_id, order_id, datetime.now(ZoneInfo("Asia/Shanghai"))))
        progress = reporter.drain()
        for refused in reporter.refused():
            print(f"{refused.external_id}: {refused.problem.code}: {refused.problem.remedy}")
        print(f"done {progress.done}, refused {progress.refused}, waiting {progress.waiting}")
        reporter.close()
    return 1 if progress.refused else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
