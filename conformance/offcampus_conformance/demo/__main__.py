"""`python -m offcampus_conformance.demo`, which `offcampus-server demo` starts."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from offcampus_sdk.errors import OffcampusError

from offcampus_conformance.demo import closing, story
from offcampus_conformance.demo.chaos import Chaos
from offcampus_conformance.demo.processes import Cast, NotReady, prepare, verify_ledger
from offcampus_conformance.demo.story import Family, Story, StoryBroken
from offcampus_conformance.synthetic import SHANGHAI, Synthetic

REGION = "110105"


def main() -> int:
    """Tell the story; 0 when everything went as it must and every fen agrees."""
    given = _arguments()
    folder = given.dir or Path(tempfile.mkdtemp(prefix="offcampus-demo-"))
    try:
        cast = prepare(folder, REGION, given.database_url)
        return _perform(cast, given.chaos, given.seed)
    except (NotReady, StoryBroken, OffcampusError) as trouble:
        print(f"\nthe story broke: {trouble}\nlogs and databases are in {folder}", file=sys.stderr)
        return 1


def _perform(cast: Cast, kills: int, seed: int) -> int:
    began = time.monotonic()
    chaos = Chaos((cast.server, cast.worker), kills, seed)
    try:
        for process in cast.everybody():
            process.start()
        for process in cast.everybody():
            process.wait_ready()
        print(f"platform at {cast.platform}; server, worker, vendor and bank are processes of their own\n")
        chaos.begin()
        told = _tell(cast, chaos)
        chaos.end()
        return _close(cast, told, chaos, time.monotonic() - began)
    finally:
        chaos.end()
        for process in reversed(cast.everybody()):
            process.stop()


def _tell(cast: Cast, chaos: Chaos) -> list[Story]:
    told: list[Story] = []
    while True:
        told.append(_one_round(cast, len(told) + 1))
        if chaos.over:
            return told
        print(f"\n({chaos.kills} kills so far; the story is told again with another institution)\n")


def _one_round(cast: Cast, number: int) -> Story:
    told = Story(cast, Synthetic(f"d{number}", datetime.now(SHANGHAI).date(), REGION), print)
    told.make = Synthetic(f"d{number}", told.now().date(), REGION)
    story.open_institution(told)
    story.open_course(told)
    print("3  Families join")
    for position, letter in enumerate("ABC", 1):
        family = Family(letter)
        told.families.append(family)
        story.join(told, family, position, with_refusals=position == 1)
    story.teach(told)
    story.decide(told)
    story.leave(told)
    return told


def _close(cast: Cast, told: list[Story], chaos: Chaos, seconds: float) -> int:
    print("\n7  The closing")
    for line in closing.table(told[-1]):
        print("   " + line)
    findings = [finding for story in told for finding in closing.check(story)] + closing.check_events(told[-1])
    print(f"   ledger replayed: {verify_ledger(cast)}")
    refusals = sum(story.refusals for story in told)
    print(f"   {refusals} steps were refused as they must be; {chaos.kills} kills; {seconds:.1f} s")
    for finding in findings:
        print(f"   DOES NOT ADD UP: {finding.text}")
    if not findings:
        print("   bank and platform agree to the fen; every change has exactly one event")
    return 1 if findings else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="offcampus-server demo", description=__doc__)
    parser.add_argument("--dir", type=Path, help="where to keep everything; a temporary folder otherwise")
    parser.add_argument("--database-url", help="another database than SQLite; it must be empty")
    parser.add_argument(
        "--chaos", type=int, default=0, help="kill server and worker (kill -9) so many times on the way"
    )
    parser.add_argument("--seed", type=int, default=1, help="where the kills fall")
    return parser.parse_args()


sys.exit(main())
