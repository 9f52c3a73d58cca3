"""The operator's lock decides what is read; a reload swaps the rules under requests in flight without mixing them."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from importlib.metadata import Distribution, EntryPoint

import pytest
from click.testing import CliRunner
from offcampus_rules import Charge, RuleSetError, Scope, load_ruleset, lockfile, registry
from offcampus_rules.cli import main
from offcampus_rules.errors import RuleFileError
from offcampus_rules.holder import RuleSetHolder

CASE = Charge(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=datetime.fromisoformat("2026-03-01T10:00:00+08:00"),
    class_hours_centi=5500,
    gift_hours_centi=0,
    total_fen=500,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)

HOOKS = """
from offcampus_rules.hookspecs import Finding, hookimpl

@hookimpl
def check_charge(case):
    if case.facts.total_fen < {least}:
        return ()
    return (Finding(
        rule="EX-LOC-001", code="sale.hours_exceeded", requirement="M-07.3", fact="amount_fen",
        given=case.facts.total_fen, allowed=0, unit="fen", must_be="at_most", parameter="sale.hours_max",
    ),)
"""


class FakeDistribution(Distribution):
    def __init__(self, name):
        self._name = name

    def read_text(self, filename):
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: 1.2.3\n" if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


@pytest.fixture
def installed(write, monkeypatch, nation_files, local_hours):
    """A nation, Beijing (50 hours, and Python) and Tianjin (40 hours), found by entry point."""
    points = []

    def install(jurisdiction, files, hooks=None):
        package = f"ofl_{jurisdiction}"
        root = write(jurisdiction, files, name=f"folder_{package}")
        (root / package).mkdir()
        (root / package / "__init__.py").write_text("")
        if hooks:
            (root / package / "hooks.py").write_text(hooks)
        monkeypatch.syspath_prepend(str(root))
        monkeypatch.delitem(sys.modules, package, raising=False)
        points.append(EntryPoint(jurisdiction, package, registry.GROUP)._for(FakeDistribution(f"rules-{jurisdiction}")))
        return root

    roots = {
        "000000": install("000000", nation_files),
        "110000": install(
            "110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 50)}, HOOKS.format(least=1000)
        ),
        "120000": install("120000", {"parameters/sale/hours_max.yaml": local_hours("120000", 40)}),
    }
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    return roots


@pytest.fixture
def locked(installed, tmp_path):
    file = tmp_path / "rules.lock.yaml"
    file.write_text(lockfile.written(lockfile.of(registry.installed().plugins)))
    return file


def edited(file, old, new, after=""):
    """The lock with one word changed, the first after a mark."""
    text = file.read_text()
    start = text.index(after)
    file.write_text(text[:start] + text[start:].replace(old, new, 1))
    return load_ruleset(lock=file)


def test_a_lock_that_fits_changes_nothing(locked):
    """The same rules, the same digest."""
    ruleset = load_ruleset(lock=locked)
    assert ruleset.rejected == ()
    assert ruleset.digest == registry.installed().digest
    assert [item.rule for item in ruleset.check_charge(CASE).violations] == ["EX-HRS-001"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1.2.3", "1.2.4", "its version is 1.2.3, the lock has 1.2.4"),
        ("sha-256:", "sha-256:" + "0" * 64 + '"  # ', "its content is"),
        ("rules-110000", "rules-other", "is locked and not installed"),
    ],
)
def test_another_plugin_than_the_one_locked_closes_its_region(locked, old, new, reason):
    """The operator counted on it; the neighbour goes on."""
    ruleset = edited(locked, old, new, '"110000"')
    assert any(reason in item.reason for item in ruleset.rejected)
    lawful = replace(CASE, class_hours_centi=100)
    assert ruleset.check_charge(lawful).outcome == "error"
    assert ruleset.check_charge(replace(lawful, scope=replace(CASE.scope, region="120101"))).outcome == "allow"


def test_off_and_unlisted_are_told_and_close_nothing(locked):
    """The operator decided so: the nation's rules hold there."""
    ruleset = edited(locked, '"enforce"', '"off"', '"110000"')
    assert "switched off" in ruleset.rejected[0].reason
    assert ruleset.check_charge(CASE).outcome == "allow"
    text = locked.read_text()
    locked.write_text(text[: text.index('  - jurisdiction: "110000"')])
    ruleset = load_ruleset(lock=locked)
    assert sorted(item.name for item in ruleset.rejected) == ["rules-110000", "rules-120000"]
    assert all("not listed" in item.reason for item in ruleset.rejected)
    assert ruleset.check_charge(CASE).outcome == "allow"


def test_advisory_tells_and_refuses_nothing(locked):
    """What the plugin would refuse, values and Python alike, stands beside the decision."""
    ruleset = edited(locked, '"enforce"', '"advisory"', '"110000"')
    decision = ruleset.check_charge(replace(CASE, total_fen=5000))
    assert decision.outcome == "allow"
    assert {item.rule for item in decision.advised} == {"EX-HRS-001", "EX-LOC-001"}
    assert len(decision.to_json()["advised"]) == 2
    assert [item.jurisdiction for item in ruleset.plugins] == ["000000", "120000"]
    nation = ruleset.check_charge(replace(CASE, class_hours_centi=6100))
    assert [item.level for item in nation.violations] == ["nation"]
    assert [item.level for item in nation.advised] == ["province"]


def test_without_the_nation_there_are_no_rules(locked):
    """The floor cannot be switched off."""
    with pytest.raises(RuleSetError, match="no national plugin"):
        edited(locked, '"enforce"', '"off"', '"000000"')


@pytest.mark.parametrize(
    ("old", "new", "code"), [('"enforce"', '"maybe"', "R-SCHEMA"), ('"110000"', '"000000"', "R-NAME")]
)
def test_a_lock_that_is_none(locked, old, new, code):
    """With file and line."""
    with pytest.raises(RuleFileError, match=f"rules.lock.yaml:[0-9]+:[0-9]+: {code}"):
        edited(locked, old, new)


def test_a_reload_reads_everything_again(installed):
    """Data and Python; whoever holds the old rules ends with them; broken rules change nothing."""
    holder = RuleSetHolder(registry.installed)
    old = holder.current
    values = installed["110000"] / "parameters/sale/hours_max.yaml"
    values.write_text(values.read_text().replace("value: 50", "value: 56"))
    (installed["110000"] / "ofl_110000" / "hooks.py").write_text(HOOKS.format(least=400))
    reloaded = holder.reload()
    assert (reloaded.changed, reloaded.before, reloaded.after) == (True, old.digest, holder.current.digest)
    assert [item.rule for item in old.check_charge(CASE).violations] == ["EX-HRS-001"]
    assert [item.rule for item in holder.current.check_charge(CASE).violations] == ["EX-LOC-001"]
    assert not holder.reload().changed
    (installed["000000"] / "plugin.yaml").write_text("jurisdiction: nowhere\n")
    kept = holder.current
    with pytest.raises(RuleSetError):
        holder.reload()
    assert holder.current is kept


def test_the_command(installed, tmp_path):
    """It writes, keeps modes, checks, and says what is not as locked."""
    file, run = tmp_path / "rules.lock.yaml", CliRunner().invoke
    assert run(main, ["lock", "--check", "--file", str(file)]).exit_code == 1
    assert "3 plugins locked" in run(main, ["lock", "--file", str(file)]).output
    assert run(main, ["lock", "--check", "--file", str(file)]).exit_code == 0
    edited(file, '"enforce"', '"advisory"', '"120000"')
    values = installed["110000"] / "parameters/sale/hours_max.yaml"
    values.write_text(values.read_text().replace("value: 50", "value: 56"))
    checked = run(main, ["lock", "--check", "--file", str(file)])
    assert (checked.exit_code, "its content is" in checked.output) == (1, True)


@pytest.mark.parametrize(
    ("required", "meets"),
    [
        ("1", True),
        ('">=1.0,<2"', True),
        ('">=1.1"', True),
        ('">=1.2"', True),
        ('">=1.3"', False),
        ('"<1.1"', False),
        ("2", False),
    ],
)
def test_the_interface_is_a_range(write, required, meets):
    """A plugin for a later interface, or one that is gone, is not read."""
    root = write("110000", {})
    manifest = root / "plugin.yaml"
    manifest.write_text(manifest.read_text().replace("requires_api: 1", f"requires_api: {required}"))
    if meets:
        assert registry.read_folder(root).jurisdiction == "110000"
    else:
        with pytest.raises(RuleFileError, match="R-API"):
            registry.read_folder(root)


def test_listing_fails_only_for_what_should_be_in_force(installed, tmp_path):
    """A plugin that the lock turns off is told and no fault; one that is locked and gone is."""
    lock = tmp_path / "rules.lock.yaml"
    runner = CliRunner()
    assert runner.invoke(main, ["lock", "--file", str(lock)]).exit_code == 0
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text[::-1].replace("ecrofne", "ffo", 1)[::-1], encoding="utf-8")
    listed = runner.invoke(main, ["list", "--lock", str(lock)])
    assert "LEFT OUT" in listed.output
    assert listed.exit_code == 0
    lock.write_text(text.replace("1.2.3", "9.9.9"), encoding="utf-8")
    assert runner.invoke(main, ["list", "--lock", str(lock)]).exit_code == 1


@pytest.mark.parametrize("command", [["lock", "--file"], ["lock", "--check", "--file"], ["list", "--lock"]])
def test_a_broken_lock_is_told_without_a_traceback(tmp_path, command):
    """Where it is broken, with exit status 1; the file stays as it is."""
    file = tmp_path / "rules.lock.yaml"
    file.write_text("plugins: [\n", encoding="utf-8")
    told = CliRunner().invoke(main, [*command, str(file)])
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    assert "rules.lock.yaml:2:1: R-YAML" in told.output
    assert file.read_text(encoding="utf-8") == "plugins: [\n"
