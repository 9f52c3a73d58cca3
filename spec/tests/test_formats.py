"""The formats: published vectors, and properties that no list of samples shows."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offcampus_spec import schemas
from offcampus_spec._root import data_root
from offcampus_spec.formats import (
    FORMATS,
    USCC_ALPHABET,
    WHY,
    resident_id_check_digit,
    resident_id_fault,
    uscc_check_character,
    uscc_fault,
)

FILES = sorted((data_root() / "vectors/formats").glob("*.json"))
CASES = [
    (vectors["format"], case["text"], case["fault"], case["name"])
    for vectors in (json.loads(path.read_text(encoding="utf-8")) for path in FILES)
    for case in vectors["cases"]
]
BODIES = st.text(USCC_ALPHABET, min_size=17, max_size=17)
BIRTHS = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1))


def test_every_format_has_vectors_both_ways() -> None:
    """A format whose vectors are all good, or all bad, proves nothing."""
    verdicts = {format: {fault is None for other, _, fault, _ in CASES if other == format} for format in WHY}
    assert {format for format, seen in verdicts.items() if seen != {True, False}} == set()


@pytest.mark.parametrize(("format", "text", "fault", "name"), CASES, ids=[f"{f}: {n}" for f, _, _, n in CASES])
def test_vectors(format: str, text: str, fault: str | None, name: str) -> None:
    """The verdict and its reason; the sentence never repeats the value, which may be personal."""
    found = WHY[format](text)
    assert (found.code if found else None) == fault
    assert FORMATS[format](text) is (fault is None)
    if found and len(text) > 5:
        assert text not in found.text_en + found.text_zh


@pytest.mark.parametrize(("format", "text", "fault", "name"), CASES, ids=[f"{f}: {n}" for f, _, _, n in CASES])
def test_validators_assert_the_format(format: str, text: str, fault: str | None, name: str) -> None:
    """A compiled schema refuses what the format refuses: an asserted format, not an annotation."""
    assert schemas.compile_schema({"type": "string", "format": format}).is_valid(text) is (fault is None)


@given(body=BODIES, at=st.integers(0, 17), other=st.sampled_from(USCC_ALPHABET))
@settings(max_examples=1000)
def test_one_wrong_character_of_a_credit_code_is_found(body: str, at: int, other: str) -> None:
    """GB 32100 finds every single substitution."""
    code = body + uscc_check_character(body)
    assert uscc_fault(code) is None
    changed = code[:at] + other + code[at + 1 :]
    assert (uscc_fault(changed) is None) == (changed == code)


@given(
    born=BIRTHS,
    area=st.integers(110000, 659999),
    order=st.integers(0, 999),
    at=st.integers(0, 16),
    to=st.integers(0, 9),
)
@settings(max_examples=1000)
def test_one_wrong_digit_of_a_citizen_number_is_found(born: Any, area: int, order: int, at: int, to: int) -> None:
    """ISO 7064 MOD 11-2 finds every single substitution, whatever the area."""
    body = f"{area}{born:%Y%m%d}{order:03d}"
    number = body + resident_id_check_digit(body)
    assert resident_id_fault(number) is None
    changed = number[:at] + str(to) + number[at + 1 :]
    assert (resident_id_fault(changed) is None) == (changed == number)


@given(text=st.text(max_size=40), format=st.sampled_from(sorted(WHY)))
@settings(max_examples=2000)
def test_no_text_breaks_a_format(text: str, format: str) -> None:
    """Any text gets a verdict, in two languages when it is refused."""
    found = WHY[format](text)
    assert found is None or (found.code and found.text_en and found.text_zh)
