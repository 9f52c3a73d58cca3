"""The rules as they could be known on a day: what had been published by then, and nothing later.

A value without a day of publication counts as published when it came into force. Where a later value is not known yet,
the one it replaces is not known to end.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import date
from weakref import WeakKeyDictionary

from offcampus_rules import digests
from offcampus_rules.assembly import Assembly
from offcampus_rules.parameters import Entry
from offcampus_rules.ruleset import RuleSet

_KNOWN: WeakKeyDictionary[RuleSet, dict[int, RuleSet]] = WeakKeyDictionary()


def as_known(ruleset: RuleSet, day: date) -> RuleSet:
    """The rule set of what had been published on or before a day; one and the same between two publications."""
    days = sorted({_published(entry) for entries in ruleset.assembly.entries.values() for entry in entries})
    made = _KNOWN.setdefault(ruleset, {})
    number = bisect_right(days, day)
    if number not in made:
        made[number] = ruleset if number == len(days) else _until(ruleset, days[number - 1] if number else date.min)
    return made[number]


def _until(ruleset: RuleSet, day: date) -> RuleSet:
    known = ruleset.assembly
    entries = {name: _known(found, day) for name, found in known.entries.items()}
    assembly: Assembly = replace(known, entries=entries)
    digest = digests.digest({"ruleset": ruleset.digest, "known_at": day})
    return RuleSet(assembly, ruleset.rejected, digest=digest)


def _known(entries: tuple[Entry, ...], day: date) -> tuple[Entry, ...]:
    later = {(entry.region, entry.since) for entry in entries if _published(entry) > day}
    return tuple(
        replace(entry, until=None) if entry.until is not None and (entry.region, entry.until) in later else entry
        for entry in entries
        if _published(entry) <= day
    )


def _published(entry: Entry) -> date:
    return entry.published or entry.since
