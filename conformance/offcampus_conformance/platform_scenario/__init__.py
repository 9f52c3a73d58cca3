"""What the suite does to a platform: one institution's time as a client, with a probe beside each lawful step.

Every exchange has a label; checks judge by label. A step whose prerequisite failed is left out with the reason, so
that what builds on it is blocked and not failed. The scenario judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from offcampus_conformance.config import Config
from offcampus_conformance.platform_scenario import (
    custody,
    decisions,
    files,
    leaving,
    opening,
    reading,
    sale,
    supervision,
    supply,
    teaching,
)
from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.record import Record
from offcampus_conformance.signature import Key
from offcampus_conformance.synthetic import SHANGHAI, Synthetic
from offcampus_conformance.wire import Actor, Wire

ACTORS = ("vendor", "rival", "bank", "guardian_app", "authority", "other_bank", "far_authority")
Part = Callable[[Day], None]
PARTS: tuple[tuple[str, Part], ...] = (
    ("discovery", opening.discover),
    ("identity", opening.authenticate),
    ("institution file", files.file_institution),
    ("malformed input", files.send_malformed),
    ("what the institution has", files.file_particulars),
    ("course", supply.file_course),
    ("lessons", supply.schedule),
    ("pupils and contracts", sale.enrol),
    ("orders", sale.place_orders),
    ("payment", custody.pay),
    ("consumption", teaching.consume),
    ("release", custody.release),
    ("refund", leaving.refund),
    ("objection", leaving.object_and_rule),
    ("statements", custody.report_days),
    ("supervision", supervision.supervise),
    ("reserve", decisions.pay_out_reserve),
    ("events", reading.subscribe),
    ("lists", reading.read_all),
    ("accounts end", custody.close),
)


def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
    """Carry out the scenario against `config.base_url`; probes that serve no check that is wanted are not sent."""
    with Wire(config.base_url, record) as wire:
        lead(begin(config, wire), record, progress)


def lead(day: Day, record: Record, progress: Callable[[str], None], parts: Sequence[tuple[str, Part]] = PARTS) -> None:
    """One part after the other; what builds on a part that failed is left out with the reason."""
    failed: str | None = None
    for name, part in parts:
        progress(name)
        try:
            part(day)
        except Unfinished as reason:
            failed = failed or f"{name}: {reason}"
            record.omit("*", failed)
    if failed:
        progress(f"cut short at {failed}")


def begin(config: Config, wire: Wire) -> Day:
    """The day before anything was done."""
    actors = {
        name: Actor(name, party.client_id, Key.load(party.key_file), wire, config.base_url)
        for name in ACTORS
        for party in (config.party(name),)
    }
    offset = _offset(config)

    def clock() -> datetime:
        return datetime.now(SHANGHAI) + offset

    make = Synthetic(config.tag, clock().date(), config.region_code, config.seed)
    return Day(wire, make, actors, wire.record.wanted, clock)


def _offset(config: Config) -> timedelta:
    """How far the clock of a target in development is shifted."""
    if config.clock_file is None or not config.clock_file.exists():
        return timedelta()
    return timedelta(seconds=int(json.loads(config.clock_file.read_text(encoding="utf-8"))["offset_seconds"]))
