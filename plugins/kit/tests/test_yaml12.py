"""The reader takes what two YAML readers would read alike, and refuses the rest with file, line and column."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_rules.errors import Position, RuleFileError
from offcampus_rules.yaml12 import load, loads

FILE = Path("example.yaml")


def test_values_and_their_positions():
    """Text, integers, booleans, null, lists and mappings; each with the place it stands at."""
    document = loads('a: 1\nb: {c: true, d: null}\ne: [x, "20:30", 2022-12-28]\nf: -7\n', FILE)
    assert document.content == {
        "a": 1,
        "b": {"c": True, "d": None},
        "e": ["x", "20:30", "2022-12-28"],
        "f": -7,
    }
    assert document.position(("e", 1)) == Position(3, 8)
    assert document.position(("b", "d", "missing")) == Position(2, 14)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("no: 1", Position(1, 1), "truth value"),
        ("a: Yes", Position(1, 4), "truth value"),
        ("on: x", Position(1, 1), "truth value"),
        ("a: 20:30", Position(1, 4), "base-60"),
        ("a: 0571", Position(1, 4), "leading zero"),
        ("a: 060", Position(1, 4), "leading zero"),
        ("a: 0x1f", Position(1, 4), "not decimal"),
        ("a: 0o17", Position(1, 4), "not decimal"),
        ("a: 1_000", Position(1, 4), "underscores"),
        ("a: 1.5", Position(1, 4), "fraction"),
        ("a: 1e3", Position(1, 4), "fraction"),
        ("a: .inf", Position(1, 4), "finite"),
        ("a: TRUE", Position(1, 4), "lower case"),
        ("a: 1\nb: 2\na: 3", Position(3, 1), "twice"),
        ("a: {b: 1, b: 1}", Position(1, 11), "twice"),
        ("a: &x 1\nb: *x", Position(1, 4), "anchors"),
        ("a: !!python/object x", Position(1, 4), "tag"),
        ("a: !!str 1", Position(1, 4), "tag"),
        ('a: !!int "1"', Position(1, 4), "tag"),
        ("<<: {a: 1}", Position(1, 1), "key is text"),
        ("1: x", Position(1, 1), "key is text"),
        ("? [a]\n: x", Position(1, 3), "key is text"),
        ("a: 1\n---\nb: 2", Position(1, 1), "2 documents"),
        ("", Position(1, 1), "0 documents"),
        ("a: [1", Position(1, 6), "not YAML"),
        ("a: x\u202ey", Position(1, 5), "U+202E"),
        ("a: x\nb: \u200bz", Position(2, 4), "U+200B"),
        ("\ufeffa: 1", Position(1, 1), "U+FEFF"),
    ],
)
def test_what_could_be_misread_is_refused(text, position, words):
    """Each trap is refused where it stands, in both languages."""
    with pytest.raises(RuleFileError) as caught:
        loads(text, FILE)
    problem = caught.value.problems[0]
    assert problem.position == position
    assert words in problem.message_en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem.message_zh)
    code = "R-BIDI" if words.startswith("U+") else "R-YAML"
    assert str(problem).startswith(f"example.yaml:{position.line}:{position.column}: {code} ")


def test_all_faults_of_a_file_are_told_at_once():
    """A lawyer who edits a file learns everything in one run."""
    with pytest.raises(RuleFileError) as caught:
        loads("a: 20:30\nb: 0571\nno: x\n", FILE)
    assert [problem.position.line for problem in caught.value.problems] == [1, 2, 3]


def test_quoted_text_is_text():
    """What is quoted is never a number or a truth value."""
    assert loads('a: "no"\nb: \'0571\'\nc: "1"\n', FILE).content == {"a": "no", "b": "0571", "c": "1"}


def test_not_utf8(tmp_path):
    """Other encodings are refused by name."""
    file = tmp_path / "gbk.yaml"
    file.write_bytes("a: 课时".encode("gbk"))
    with pytest.raises(RuleFileError, match="not UTF-8"):
        load(file)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii", categories=["L", "N"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_json_is_read_as_json(content):
    """JSON is YAML 1.2: whatever JSON says, this reader reads."""
    assert loads(json.dumps(content), FILE).content == content


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    """No text makes the reader fail in another way than by refusing it."""
    with contextlib.suppress(RuleFileError):
        loads(text, FILE)
