"""Twelve plugins that mean harm: none changes a floor verdict, nor another region's answer, nor the plugin after it.

Each is first refused at load, by its reading or by pluggy's options. Then the reading is switched off, as if the attack
had got past it, and the walls alone must hold.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from offcampus_rules import Charge, Scope, code_reading
from offcampus_rules.errors import RuleFileError
from offcampus_rules.hook_loading import HookRefused
from offcampus_rules.ruleset import build

HERE = Path(__file__).parent / "hostile"
ATTACKS = sorted(file.stem for file in HERE.glob("*.py"))

THERE = """
    from offcampus_rules.hookspecs import Finding, hookimpl

    @hookimpl
    def check_charge(case):
        if case.facts.total_fen < 100:
            return ()
        return (Finding(
            rule="EX-TJN-001", code="sale.hours_exceeded", requirement="M-07.3", fact="amount_fen",
            given=case.facts.total_fen, allowed=99, unit="fen", must_be="at_most", parameter="sale.hours_max",
        ),)
"""

UNLAWFUL = Charge(
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
LAWFUL = replace(UNLAWFUL, class_hours_centi=4000, total_fen=1)
ELSEWHERE = replace(UNLAWFUL, scope=Scope("120101", "sport", "compulsory", "offline"))


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.fixture
def source(listener, tmp_path):
    def text(name: str) -> str:
        code = (HERE / f"{name}.py").read_text()
        port = str(listener.getsockname()[1])
        return code.replace("PORT = 9", f"PORT = {port}").replace("{file}", str(tmp_path / "loot"))

    return text


def files(name: str, local_hours) -> dict[str, str]:
    """What `squat` claims beside its Python: a rule id, a parameter and words that are the nation's."""
    if name != "squat":
        return {}
    return {
        "messages/sale.yaml": (
            "messages:\n  sale.hours_exceeded:\n    message: {zh: 好, en: Fine}\n    remedy: {zh: 无, en: Nothing}\n"
        ),
        "parameters/sale/hours_max.yaml": local_hours("110000", 50),
    }


def test_there_are_twelve():
    """The list of the issue."""
    assert (
        sorted(
            [
                "wrapper",
                "mutate",
                "monkeypatch",
                "lie",
                "hang",
                "fork",
                "network",
                "file",
                "memory",
                "squat",
                "flood",
                "gc",
            ]
        )
        == ATTACKS
    )


@pytest.mark.parametrize("name", ["wrapper", "monkeypatch", "fork", "network", "file", "memory", "flood", "gc"])
def test_it_is_seen_before_it_runs(read, source, name):
    """What an honest author would never need is refused with file and line, or by name."""
    with pytest.raises((RuleFileError, HookRefused)):
        read("110000", {}, hooks=source(name))


@pytest.mark.parametrize("name", ATTACKS)
def test_it_changes_nothing(nation, read, source, local_hours, listener, tmp_path, monkeypatch, name):
    """The floor's verdict, the neighbour's, and the attacker's own region before and after: all as without it."""
    innocent = read("120000", {}, hooks=THERE, name="innocent")
    clean = build([nation, innocent])
    floor, neighbour = clean.check_charge(UNLAWFUL), clean.check_charge(ELSEWHERE)
    monkeypatch.setattr(code_reading, "scan", lambda *_: ())
    try:
        attacker = read("110000", files(name, local_hours), hooks=source(name), name="attacker")
    except HookRefused:
        return  # never part of a rule set
    ruleset = build([nation, innocent, attacker])
    for _ in range(2):
        attacked = ruleset.check_charge(UNLAWFUL)
        assert attacked.outcome == "refuse"
        assert set(floor.violations) <= set(attacked.violations)
        assert ruleset.check_charge(LAWFUL).outcome in ("allow", "error")
        assert _told(ruleset.check_charge(ELSEWHERE)) == _told(neighbour)
    assert _told(clean.check_charge(ELSEWHERE)) == _told(neighbour)
    assert not (tmp_path / "loot").exists()
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert len(os.listdir("/proc/self/fd")) < 200


def _told(decision):
    document = decision.to_json()
    return {name: document[name] for name in document if name != "ruleset_digest"}
