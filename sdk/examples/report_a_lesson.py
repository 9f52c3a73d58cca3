"""Report what pupils attended, so that a crash at any moment loses nothing and reports nothing twice.

Run: python report_a_lesson.py https://platform.example pty_… vendor.json
"""

from __future__ import annotations

import sys
from pathlib import Path

from offcampus_sdk import Client, Key, models
from offcampus_sdk.reporter import Reporter


def lesson_just_taught() -> models.ConsumptionRecord:
    """What your product knows of one pupil's lesson; the roll call is the proof."""
    return models.ConsumptionRecord(
        external_id="lesson-4711-pupil-42",  # the same lesson of the same pupil always has the same one
        institution_id="ins_01kwdpf480fk8v6gaja4c4a5hz",
        order_id="ord_01m01nsaw0e5hbt45jqsn74mqw",
        lesson_id="les_01m0eeb280etmvs9f0tnprdnhb",
        teacher_id="stf_01kwg8vv80f0wb33jrxk9z5z6m",
        place=models.ConsumptionRecordPlace(campus_id="cmp_01kwdpf480ee2v8jwm6yxy7zb3", room="301"),
        type="lesson",
        class_hours_centi=200,
        occurred_from="2026-09-05T18:30:00+08:00",
        occurred_until="2026-09-05T20:00:00+08:00",
        proof=models.ConsumptionRecordProof(
            kind="roll_call", reference="ROLL-20260905-301", recorded_at="2026-09-05T18:35:00+08:00"
        ),
        notified_at="2026-09-05T20:05:00+08:00",
    )


def main(base_url: str, client_id: str, key_file: str) -> int:
    """Spool, send, and show what was refused and why."""
    with (
        Client(base_url, client_id, Key.load(Path(key_file))) as client,
        Reporter(client, Path("spool.db")) as reporter,
    ):
        reporter.add(lesson_just_taught())
        progress = reporter.drain()
        for refused in reporter.refused():
            print(f"{refused.external_id}: {refused.problem.code}: {refused.problem.remedy}")
    print(f"done {progress.done}, refused {progress.refused}, waiting {progress.waiting}")
    return 1 if progress.refused else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
