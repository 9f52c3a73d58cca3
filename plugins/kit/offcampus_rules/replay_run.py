"""Replays a history file: in pieces, in as many processes as wanted, with one report whatever their number."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from offcampus_rules import archive, history, replay_columns, replaying
from offcampus_rules.history import Row, Skimmed, Unreadable
from offcampus_rules.known import as_known
from offcampus_rules.replaying import Judged, judge_row
from offcampus_rules.rules import Gate
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.tally import BY, By, Tally

Mode = Literal["reproduce", "counterfactual", "as-known"]
_PIECE = 16 << 20
"""Bytes judged at once: some twenty thousand rows, a few dozen megabytes of memory."""


@dataclass(frozen=True)
class Job:
    """What is replayed. `after` is the rule set that is tried out; in `reproduce` it is not asked.

    With an `archive`, `reproduce` decides each row again by the archived rule set that the row names.
    """

    file: Path
    mode: Mode
    before: RuleSet
    after: RuleSet
    by: tuple[By, ...] = BY
    sample: int = 20
    keep_all: bool = False
    archive: Path | None = None


def run(job: Job, processes: int = 1) -> Tally:
    """Count the whole history. More than one process needs an operating system that can fork."""
    total = Tally(job.sample, job.keep_all, job.by)
    for piece in _each(job, list(history.pieces(job.file, _PIECE)), processes):
        total.add(piece)
    return total


def _each(job: Job, ranges: list[tuple[int, int]], processes: int) -> Iterator[Tally]:
    if processes == 1 or len(ranges) == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (count(job, start, stop) for start, stop in ranges)
        return
    # Forked children have the rule sets already: they are large and hold functions that cannot be sent.
    with multiprocessing.get_context("fork").Pool(processes, _remember, (job,)) as pool:
        yield from pool.imap(_count_remembered, ranges)


_JOB: list[Job] = []


def _remember(job: Job) -> None:
    _JOB[:] = [job]


def _count_remembered(piece: tuple[int, int]) -> Tally:
    return count(_JOB[0], *piece)


def count(job: Job, start: int, stop: int) -> Tally:
    """Count one piece of the file."""
    tally = Tally(job.sample, job.keep_all, job.by)
    with job.file.open("rb") as source:
        source.seek(start)
        text = source.read(stop - start)
    tally.lines = text.count(b"\n") + (not text.endswith(b"\n"))
    if job.mode == "reproduce":
        _reproduce(job, history.read(text), tally)
    else:
        _compare(job, history.skim(text), tally)
    return tally


def _compare(job: Job, items: Iterable[Skimmed | Row | Unreadable], tally: Tally) -> None:
    """Count what the two rule sets say: in columns where data alone decides, row by row otherwise."""
    columns: dict[tuple[Gate, RuleSet], list[Skimmed]] = {}
    decides = lru_cache(maxsize=None)(replaying.by_data)
    for item in items:
        if isinstance(item, Unreadable):
            tally.refuse(item)
            continue
        before = job.before if job.mode == "counterfactual" else _known(job.before, item.known_on)
        if isinstance(item, Skimmed) and before is not None:
            region = item.case.scope.region
            if decides(before, item.gate, region) and decides(job.after, item.gate, region):
                columns.setdefault((item.gate, before), []).append(item)
                continue
        row = item.whole() if isinstance(item, Skimmed) else item
        nothing = Judged("not_evaluated")
        pair = (nothing, nothing) if before is None else (judge_row(before, row), judge_row(job.after, row))
        tally.count(row, *pair, replaying.change(row, *pair))
    for (gate, before), lines in columns.items():
        replay_columns.count(gate, lines, before, job.after, tally)


def _known(ruleset: RuleSet, day: date | None) -> RuleSet | None:
    """What had been published by a day; None: nobody says when it was decided."""
    return None if day is None else as_known(ruleset, day)


def _reproduce(job: Job, rows: Iterable[Row | Unreadable], tally: Tally) -> None:
    for row in rows:
        if isinstance(row, Unreadable):
            tally.refuse(row)
            continue
        tally.rows += 1
        tally.fen += row.fen
        found = replaying.reproduced(_made_with(job, row.line.ruleset_digest), row)
        tally.reproduced[found] += 1
        if found == "different":
            tally.refuse(Unreadable(row.number, f"{row.line.case or row.line.question}: answered differently"))


def _made_with(job: Job, digest: str | None) -> RuleSet:
    """The rules that a row was decided by; those at hand where it names none, or one that is not archived."""
    if job.archive is None or digest is None or digest == job.before.digest:
        return job.before
    return _archived(job.archive, digest) or job.before


@lru_cache(maxsize=16)
def _archived(folder: Path, digest: str) -> RuleSet | None:
    """Raises ArchiveError where the file was changed: other rules under that name would prove nothing."""
    return archive.read(folder, digest) if archive.file_of(folder, digest).is_file() else None
