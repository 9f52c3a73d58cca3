"""A run as its user meets it: what is told when, exit codes, baselines, comparison, the command line."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from mini_profile import GOOD, PROBLEM, Mini, exchange
from offcampus_conformance import baseline, output
from offcampus_conformance import run as engine
from offcampus_conformance.cli import main
from offcampus_conformance.comparison import compare
from offcampus_conformance.config import Config, ConfigError, load
from offcampus_conformance.record import Record
from offcampus_conformance.reports.as_json import read_lines, report_json
from offcampus_conformance.run import run
from offcampus_conformance.signature import Key
from offcampus_conformance.verdict import Exit
from offcampus_conformance.wire import TargetGone

Scenario = Callable[[Config, Record, Callable[[str], None]], None]


def scenario(bad: int = 422, read: int | None = 200, ends: Exception | None = None) -> Scenario:
    """A scenario of the small profile, in three parts."""

    def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
        now: dict[str, Any] = {"started_at": datetime.now(UTC).isoformat()}
        progress("good")
        record.add(exchange("create.good", 201, GOOD, **now))
        progress("bad")
        record.add(exchange("create.bad", bad, {**GOOD, "uscc": "2", "external_id": config.tag}, PROBLEM, **now))
        progress("read")
        if ends is not None:
            raise ends
        record.add(exchange("read", read, **now))

    return carry_out


@pytest.fixture
def config(mini: Mini, tmp_path: Path) -> Path:
    """A configuration of the small profile."""
    path = tmp_path / "conformance.toml"
    path.write_text('[target]\nprofile = "rules"\nplugin = "."\n[report]\nseed = 7\n', encoding="utf-8")
    return path


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the small profile's scenario be this one."""

    def use(**how: Any) -> None:
        monkeypatch.setattr(engine, "RESTS", 0)
        monkeypatch.setattr(engine, "find_spec", lambda name: object())
        made = scenario(**how)
        monkeypatch.setattr(engine, "import_module", lambda name: types.SimpleNamespace(carry_out=made))

    return use


def invoke(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def test_verdicts_are_told_as_soon_as_they_are_final(config: Path, play: Callable[..., None]) -> None:
    """Each once, in the part after the one that made it; the last at the end."""
    play()
    told: list[str] = []
    report = run(load(config), progress=told.append, told=lambda result: told.append(result.check.id))
    assert told == ["X-TWO-002", "good", "X-ONE-001", "bad", "X-ONE-002", "read", "X-TWO-001"]
    assert report.conformant


def test_fail_fast_ends_at_the_first_failure(config: Path, play: Callable[..., None]) -> None:
    """What follows is not carried out; the report says that it is not whole, and nothing is certified."""
    play(bad=201)
    report = run(load(config), fail_fast=True)
    assert (len(report.record), report.complete, report.conformant, report.exit) == (
        2,
        False,
        False,
        Exit.NOT_CONFORMANT,
    )


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({}, Exit.CONFORMANT),
        ({"bad": 201}, Exit.NOT_CONFORMANT),
        ({"ends": TargetGone("gone")}, Exit.NOT_CONFORMANT),
        ({"ends": KeyError("the scenario's own mistake")}, Exit.SUITE_ERROR),
    ],
)
def test_exit_codes(config: Path, play: Callable[..., None], how: dict[str, Any], code: Exit) -> None:
    """A target that is gone is judged; a mistake of the scenario is the suite's."""
    play(**how)
    report = run(load(config))
    assert report.exit is code
    assert report.conformant == (code is Exit.CONFORMANT)


def test_a_selection_that_matches_nothing_is_no_run(config: Path, play: Callable[..., None]) -> None:
    """Exit 2 and what to do, instead of a green nothing."""
    play()
    with pytest.raises(ConfigError, match="no check of it matches"):
        run(load(config), only="NOPE-*")
    assert (
        invoke("run", "--config", str(config), "--only", "NOPE-*", "--report", str(config.parent)).exit_code
        == Exit.NOTHING_JUDGED
    )


def test_the_command_writes_the_whole_folder(config: Path, play: Callable[..., None], tmp_path: Path) -> None:
    """Stream and document say the same; with a key it is signed, and `verify` takes it; `judge` says it again."""
    play()
    key = Key.generate()
    (tmp_path / "key.json").write_text(json.dumps(key.jwk(private=True)), encoding="utf-8")
    config.write_text(config.read_text() + 'sign_with = "key.json"\nnonce = "n1"\n', encoding="utf-8")
    folder = tmp_path / "out"
    assert invoke("run", "--config", str(config), "--report", str(folder)).exit_code == 0
    document = json.loads((folder / "report.json").read_bytes())
    stream = read_lines((folder / "report.ndjson").read_text(encoding="utf-8"))
    by_id = {result["check"]: result for result in stream["results"]}
    assert [by_id[result["check"]] for result in document["results"]] == document["results"]
    assert (stream["header"], stream["footer"]) == (document["header"], document["footer"])
    listed = {"keys": [{"jwk": key.jwk(), "role": "vendor", "holder": "x"}]}
    (tmp_path / "trust.json").write_text(json.dumps(listed), encoding="utf-8")
    verified = invoke("verify", str(folder), "--trust", str(tmp_path / "trust.json"), "--nonce", "n1")
    assert verified.exit_code == 0, verified.output
    assert "level B" in verified.output
    assert invoke("judge", str(folder / "evidence.har")).exit_code == 0
    har = (folder / "evidence.har").read_text(encoding="utf-8").replace('"status": 422', '"status": 201')
    (folder / "evidence.har").write_text(har, encoding="utf-8")
    refused = CliRunner().invoke(main, ["judge", str(folder / "evidence.har")])
    assert "edited, moved or spliced at create.bad" in refused.output


def test_only_the_failures_are_judged_again(config: Path, play: Callable[..., None], tmp_path: Path) -> None:
    """`run --failed` says of each what became of it; `compare` says it of the two reports."""
    play(bad=201)
    first, second = tmp_path / "first", tmp_path / "second"
    assert invoke("run", "--config", str(config), "--report", str(first)).exit_code == 1
    assert invoke("run", "--config", str(config), "--report", str(second)).exit_code == 1
    play()
    again = invoke("run", "--config", str(config), "--report", str(second), "--failed")
    assert again.exit_code == 0
    assert "FIXED  X-ONE-002: fail -> pass" in again.output
    assert "FIXED  X-TWO-001: blocked -> pass" in again.output
    assert invoke("compare", str(first), str(second)).exit_code == 1, "a check is no longer exercised"
    assert "better" in invoke("compare", str(first), str(second)).output
    assert invoke("run", "--config", str(config), "--report", str(second), "--failed").exit_code == Exit.NOTHING_JUDGED


def test_a_baseline_excuses_what_it_names_until_it_is_mended(
    config: Path, play: Callable[..., None], tmp_path: Path
) -> None:
    """Known failures do not redden CI; a new one does; a mended one that is still listed ends with 5."""
    play(bad=201)
    assert invoke("run", "--config", str(config), "--report", str(tmp_path / "r"), "--update-baseline").exit_code == 1
    config.write_text(config.read_text() + 'baseline = "baseline.toml"\n', encoding="utf-8")
    known = invoke("run", "--config", str(config), "--report", str(tmp_path / "r"))
    assert known.exit_code == 0
    assert "does NOT conform" in known.output
    play()
    stale = invoke("run", "--config", str(config), "--report", str(tmp_path / "r"))
    assert stale.exit_code == Exit.BASELINE_STALE
    assert "take X-ONE-002, X-TWO-001 out of the baseline" in stale.output
    (tmp_path / "baseline.toml").write_text('[[known]]\ncheck = "X-TWO-001"\nreason = "soon"\n', encoding="utf-8")
    play(bad=201)
    assert invoke("run", "--config", str(config), "--report", str(tmp_path / "r")).exit_code == 1, "a new failure"
    (tmp_path / "baseline.toml").write_text('[[known]]\ncheck = "X-ONE-001"\nreason = " "\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="has no reason"):
        baseline.load(tmp_path / "baseline.toml")


def test_the_plan_is_shown_before_anything_is_sent(config: Path, mini: Mini) -> None:
    """What would be judged, what skipped and why, against which set."""
    shown = invoke("explain", "--plan", "--config", str(config))
    assert shown.exit_code == 0
    assert "skip: no claim 'webhooks'" in shown.output
    assert "requirement set 1.0" in shown.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[target]\nprofile = "rules"\nplugin = "."\nclaims = ["moon"]\n', "target.claims names 'moon'"),
        ('[target]\nprofile = "rules"\nplugin = "."\ncolour = 1\n', "target.colour is not known"),
        ('[target]\nprofile = "rules"\n', "target.plugin must be"),
        ('[target]\nprofile = "moon"\n', "allowed: platform, institution-system, bank, rules"),
        ('[target]\nprofile = "rules"\nplugin = "."\n[report]\nbaseline = "none.toml"\n', "none.toml does not exist"),
    ],
)
def test_a_wrong_configuration_names_its_key(config: Path, play: Callable[..., None], text: str, says: str) -> None:
    """What is wrong, and what is allowed; exit 2."""
    play()
    config.write_text(text, encoding="utf-8")
    ended = CliRunner().invoke(main, ["run", "--config", str(config), "--quiet", "--report", str(config.parent / "r")])
    assert ended.exit_code == Exit.NOTHING_JUDGED
    assert says in ended.output


def test_comparison_tells_apart_what_changed(mini: Mini) -> None:
    """Better, worse, and what is judged no more, which is neither."""
    good, red = report_json(mini.report()), report_json(mini.report(mini.record(bad=201)))
    assert compare(good, good).same
    worse = compare(good, red)
    assert ([c.check for c in worse.worse], [c.check for c in worse.unexercised]) == (["X-ONE-002"], ["X-TWO-001"])
    assert [c.check for c in compare(red, good).better] == ["X-ONE-002", "X-TWO-001"]
    fewer = {**good, "results": good["results"][:1]}
    assert [c.check for c in compare(good, fewer).unexercised] == ["X-ONE-002", "X-TWO-001"]
    with pytest.raises(ValueError, match="cannot be compared"):
        compare(good, {**good, "header": {**good["header"], "profile": "bank"}})


def test_a_run_that_is_cut_off_leaves_no_report(mini: Mini, tmp_path: Path) -> None:
    """The stream holds what was told, and without its footer it is refused."""
    report = mini.report()
    stream = output.Stream(tmp_path)
    stream.begun(report.plan)
    stream.told(report.results[0])
    stream.close()
    with pytest.raises(ValueError, match="no footer"):
        read_lines((tmp_path / "report.ndjson").read_text(encoding="utf-8"))
    assert replace(report, complete=False).conformant is False
