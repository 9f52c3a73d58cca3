"""A rule set can be kept in one file and decided with again; what was changed since is not mistaken for it."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest
from offcampus_rules import Charge, Scope, archive
from offcampus_rules.archive import ArchiveError
from offcampus_rules.ruleset import build

HOOKS = """
    from offcampus_rules.hookspecs import Finding, hookimpl

    @hookimpl
    def check_charge(case):
        if case.facts.total_fen < 100:
            return ()
        return (Finding(
            rule="EX-LOC-001", code="sale.hours_exceeded", requirement="M-07.3", fact="amount_fen",
            given=case.facts.total_fen, allowed=99, unit="fen", must_be="at_most", parameter="sale.hours_max",
        ),)
"""

CASE = Charge(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=datetime.fromisoformat("2026-03-01T10:00:00+08:00"),
    class_hours_centi=7000,
    gift_hours_centi=0,
    total_fen=500,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)


@pytest.fixture
def ruleset(nation, read, local_hours):
    return build([nation, read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 50)}, hooks=HOOKS)])


def test_the_archived_rules_decide_the_same(ruleset, tmp_path):
    """Values, words, and Python; from the file alone, to the letter."""
    file = archive.write(ruleset, tmp_path / "archive")
    assert archive.write(ruleset, tmp_path / "archive") == file
    again = archive.read(tmp_path / "archive", ruleset.digest)
    assert again.check_charge(CASE).to_json() == ruleset.check_charge(CASE).to_json()
    assert {item.rule for item in again.check_charge(CASE).violations} == {"EX-HRS-001", "EX-LOC-001"}


def test_what_binds_is_part_of_it(nation, tmp_path):
    """A set of official values only comes back as one."""
    strict = build([nation], official_only=True)
    archive.write(strict, tmp_path)
    assert archive.read(tmp_path, strict.digest).official_only


def test_a_changed_archive_is_refused(ruleset, tmp_path):
    """One figure changed: another digest."""
    file = archive.write(ruleset, tmp_path)
    file.write_text(file.read_text().replace("value: 50", "value: 55"))
    with pytest.raises(ArchiveError, match="it was changed"):
        archive.read(tmp_path, ruleset.digest)


def test_files_that_changed_since_loading_are_not_archived(ruleset, tmp_path):
    """The digest would promise what the text does not hold; nothing is left behind."""
    values = ruleset.assembly.plugins[1].root / "parameters/sale/hours_max.yaml"
    values.write_text(values.read_text().replace("value: 50", "value: 55"))
    with pytest.raises(ArchiveError, match="changed since"):
        archive.write(ruleset, tmp_path / "archive")
    assert list((tmp_path / "archive").iterdir()) == []


def test_what_is_not_there_or_no_archive(ruleset, tmp_path):
    """Absent, garbled, of another format, or reaching out of its folder."""
    with pytest.raises(ArchiveError, match="not archived"):
        archive.read(tmp_path, ruleset.digest)
    file = archive.write(ruleset, tmp_path)
    content = json.loads(file.read_text())
    content["plugins"][0]["files"]["../outside.yaml"] = ""
    file.write_text(json.dumps(content))
    with pytest.raises(ArchiveError, match="outside"):
        archive.read(tmp_path, ruleset.digest)
    file.write_text("[]")
    with pytest.raises(ArchiveError, match="format"):
        archive.read(tmp_path, ruleset.digest)
    file.write_text("{")
    with pytest.raises(ArchiveError, match="no archive"):
        archive.read(tmp_path, ruleset.digest)
