"""Facts of a release and of a refund that an institution wants to refuse."""

from __future__ import annotations

from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context import Release
from offcampus_rules.facts.vocabulary import Fact, told, vocabulary


def _earned_fen(case: Release) -> int:
    """What confirmed hours have earned by the order's own prices, or else their share of the whole, cut to whole fen.

    Gifts taught last earn no more.
    """
    if case.priced_fen is not None:
        return case.priced_fen
    confirmed = min(case.confirmed_centi, case.total_centi)
    return case.paid_fen * confirmed // case.total_centi if case.total_centi else 0


def _released_share(case: Release) -> int:
    """What is released once this sum has gone, in parts per million of what was paid; a begun part counts."""
    return -(-(case.released_fen + case.amount_fen) * 1_000_000 // case.paid_fen) if case.paid_fen else 0


RELEASE = vocabulary(
    {},
    Fact("amount_fen", "fen", lambda case: case.amount_fen),
    Fact("released_after_fen", "fen", lambda case: case.released_fen + case.amount_fen),
    Fact("released_share_ppm", "ppm", _released_share),
    Fact("earned_fen", "fen", _earned_fen),
    Fact("mode", "option", lambda case: case.mode),
    Fact("requested_on", "date", lambda case: shanghai_date(case.requested_at)),
    Fact("last_taught_on", "date", lambda case: case.last_taught_on),
    told("elapsed_months", "count"),
    told("custody_after_fen", "fen"),
    told("unconsumed_after_fen", "fen"),
    told("last_lesson_done", "flag"),
    told("dispute_open", "flag"),
    told("in_custody", "flag"),
    told("confirmed_by_guardian", "flag"),
    told("pay_to_basic_account", "flag"),
)

REFUND_REFUSAL = vocabulary(
    {},
    Fact("ground", "option", lambda case: case.ground),
    Fact("hours_proof", "flag", lambda case: case.hours_proof),
    Fact("before_start", "flag", lambda case: case.before_start),
    Fact("unconsumed_centi", "centi_hours", lambda case: case.unconsumed_centi),
    Fact("something_is_left", "flag", lambda case: case.unconsumed_centi > 0),
    Fact("requested_on", "date", lambda case: shanghai_date(case.requested_at)),
    Fact("refused_on", "date", lambda case: shanghai_date(case.refused_at)),
    told("institution_at_fault", "flag"),
)
