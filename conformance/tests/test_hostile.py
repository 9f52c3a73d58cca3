"""Whatever a target does to the suite, it ends in time, within its memory, and with a verdict on the target."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from offcampus_conformance import output, wire
from offcampus_conformance.config import Config, PartyConfig
from offcampus_conformance.finding import Verdict
from offcampus_conformance.platform_scenario import ACTORS
from offcampus_conformance.run import run
from offcampus_conformance.signature import Key
from offcampus_conformance.standins.hostile import BEHAVIOURS, hostile
from offcampus_conformance.verdict import Exit

FAST = ("reset", "gzip_bomb", "a_list", "lone_surrogate")
SLACK_KB = 120 * 1024


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target gets less time than in a real run, and nothing else is other."""
    monkeypatch.setattr(wire, "TIMEOUT_S", 0.4)
    monkeypatch.setattr(wire, "PATIENCE_S", 0.8)


def judged(name: str, folder: Path) -> None:
    """Run the platform's profile against one hostile target and write its report."""
    folder.mkdir(exist_ok=True)
    (folder / "key.json").write_text(json.dumps(Key.generate().jwk(private=True)), encoding="utf-8")
    parties = {party: PartyConfig("pty_01hq5z8w9mabcdefghjkmnpqrs", folder / "key.json") for party in ACTORS}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hostile(name) as address:
        report = run(Config("platform", address, parties, frozenset(), None, 0, "110105", None))
    output.write(report, folder)
    verdicts = {result.check.id: result.verdict for result in report.results}
    errors = [f"{r.check.id}: {r.note}" for r in report.results if r.verdict is Verdict.ERROR]
    assert (errors, report.suite_faults) == ([], ()), "a hostile target is no fault of the suite"
    assert report.exit in (Exit.NOT_CONFORMANT, Exit.UNREACHABLE)
    assert Verdict.FAIL in verdicts.values(), "the verdict is on the target"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < SLACK_KB


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", FAST)
def test_a_hostile_target_is_judged(name: str, tmp_path: Path) -> None:
    """No crash, no hang, no error of the suite's own: the target fails, or is told to be out of reach."""
    judged(name, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", sorted(set(BEHAVIOURS) - set(FAST)))
def test_every_other_hostile_target_is_judged(name: str, tmp_path: Path) -> None:
    """The rest of them."""
    judged(name, tmp_path)
