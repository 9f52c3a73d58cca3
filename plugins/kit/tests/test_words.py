"""Options are told in words where the catalogue has them, and as they are written where it has not."""

from __future__ import annotations

import pytest
from offcampus_rules.messages import allowed_text, spoken

WORDS = {"rest_day": ("休息日", "a rest day"), "statutory_holiday": ("法定节假日", "a statutory holiday")}


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("rest_day", "休息日", "a rest day"),
        (("rest_day", "statutory_holiday"), "休息日、法定节假日", "a rest day, a statutory holiday"),
        (("rest_day", "market_day"), "休息日、market_day", "a rest day, market_day"),
    ],
)
def test_options_in_words(value, zh, en):
    """Each language has its own words and its own comma."""
    assert (spoken(value, "option", "zh", WORDS), spoken(value, "option", "en", WORDS)) == (zh, en)


def test_figures_are_told_as_ever():
    """Words are for options only."""
    assert spoken(6001, "centi_hours", "zh", WORDS) == "60.01 课时"


@pytest.mark.parametrize(
    ("comparison", "limit", "zh", "en"),
    [
        ("one_of", ("rest_day",), "须为 休息日", "a rest day"),
        ("one_of", tuple(WORDS), "须为 休息日、法定节假日 之一", "one of a rest day, a statutory holiday"),
        ("none_of", ("rest_day",), "不得为 休息日", "not a rest day"),
        ("none_of", tuple(WORDS), "不得为 休息日、法定节假日", "none of a rest day, a statutory holiday"),
    ],
)
def test_one_option_needs_no_list(comparison, limit, zh, en):
    """A list is for several."""
    assert allowed_text(comparison, limit, "option", "zh", words=WORDS) == zh
    assert allowed_text(comparison, limit, "option", "en", words=WORDS) == en
