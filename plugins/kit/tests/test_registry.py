"""Plugins are found by entry point and read one by one: one that breaks is named and left out, the others go on."""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, EntryPoint

import pytest
from offcampus_rules import RuleSetError, load_ruleset
from offcampus_rules.registry import discover
from offcampus_rules.ruleset import build


class FakeDistribution(Distribution):
    """A distribution that is not installed: a name and a version."""

    def __init__(self, name):
        self._name = name

    def read_text(self, filename):
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: 1.2.3\n" if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


def point(name, package, distribution):
    entry = EntryPoint(name, package, "offcampus.rules")
    return entry._for(FakeDistribution(distribution))


@pytest.fixture
def installed(write, monkeypatch):
    """Puts a plugin's folder where its package can be imported: data beside the package, as in a working copy."""

    def install(jurisdiction, files, package, body=""):
        root = write(jurisdiction, files, name=f"folder_{package}")
        (root / package).mkdir()
        (root / package / "__init__.py").write_text(body)
        monkeypatch.syspath_prepend(str(root))
        monkeypatch.delitem(sys.modules, package, raising=False)
        return root

    return install


def test_the_good_one_is_read(installed, nation_files):
    """Name and version come from the distribution, the jurisdiction from the manifest."""
    installed("000000", nation_files, "ofc_nation")
    found, rejected = discover([point("000000", "ofc_nation", "rules-nation")])
    assert rejected == ()
    told = found[0].info.to_json()
    assert told.pop("digest").startswith("sha-256:")
    assert told == {"jurisdiction": "000000", "distribution": "rules-nation", "version": "1.2.3"}


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "import os; os._exit(3)", "def broken(:"])
def test_a_plugins_package_is_never_imported(installed, body):
    """Its data is read where it lies; whatever its `__init__` would do, the server does not."""
    installed("110000", {}, "ofc_bad", body)
    found, rejected = discover([point("110000", "ofc_bad", "rules-bad")])
    assert [plugin.info.distribution for plugin in found] == ["rules-bad"]
    assert rejected == ()


@pytest.mark.parametrize(
    ("hooks", "reason"),
    [
        ("def broken(:", "SyntaxError"),
        ("import socket", "this imports socket"),
        ("raise SystemExit(1)", "SystemExit"),
        ("from offcampus_rules.context import NoSuchThing", "ImportError"),
        ("while True: pass", "could not be started"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_and_left_out(installed, hooks, reason):
    """Whatever loading it does, the others load."""
    root = installed("110000", {}, "ofc_bad")
    (root / "ofc_bad" / "hooks.py").write_text(hooks + "\n")
    installed("120000", {}, "ofc_good")
    found, rejected = discover([point("110000", "ofc_bad", "rules-bad"), point("120000", "ofc_good", "rules-good")])
    assert [plugin.info.distribution for plugin in found] == ["rules-good"]
    assert [(item.name, item.jurisdiction) for item in rejected] == [("rules-bad", "110000")]
    assert reason in rejected[0].reason


def test_an_entry_point_that_leads_elsewhere(installed):
    """Named for one region, written for another; or no package at all."""
    installed("120000", {}, "ofc_elsewhere")
    _, rejected = discover([point("110000", "ofc_elsewhere", "rules-x"), point("130000", "json:dumps", "rules-y")])
    assert "120000" in rejected[0].reason
    assert "expected a package" in rejected[1].reason


def test_one_plugin_found_twice_is_read_once(installed, nation):
    """Stale metadata lists a distribution twice; a second package for the same region is another matter."""
    installed("110000", {}, "ofc_once")
    again = [point("110000", "ofc_once", "rules-once"), point("110000", "ofc_once", "rules-once")]
    found, rejected = discover(again)
    ruleset = build([nation, *found])
    assert (rejected, ruleset.rejected) == ((), ())
    installed("110000", {}, "ofc_twin")
    found, _ = discover([*again, point("110000", "ofc_twin", "rules-twin")])
    claimed = build([nation, *found])
    assert {item.name for item in claimed.rejected} == {"rules-once", "rules-twin"}
    assert "claimed twice" in claimed.rejected[0].reason


def test_without_a_nation_nothing_is_decided():
    """No floor, no rules."""
    with pytest.raises(RuleSetError, match="no national plugin"):
        load_ruleset([])


def test_the_installed_set_is_read_once():
    """Reading files again for every request would be waste: the set is immutable."""
    assert load_ruleset() is load_ruleset()
    assert load_ruleset(official_only=True).digest != load_ruleset().digest
