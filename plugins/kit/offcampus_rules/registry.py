"""Finds the installed plugins by entry point (group `offcampus.rules`, named by jurisdiction) and reads each by itself.

One broken plugin never stops the others: whatever its import raises, SystemExit included, becomes a rejection that
names it. The same distribution found twice under one path is read once (stale metadata); one name with two packages
behind it is refused, since nobody can say which is meant.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from offcampus_rules import lockfile
from offcampus_rules import plugin as plugins_module
from offcampus_rules.errors import FileProblem, Position, RuleFileError, RuleKitError
from offcampus_rules.lockfile import Lock
from offcampus_rules.plugin import Plugin
from offcampus_rules.ruleset import Rejected, RuleSet, build

GROUP = "offcampus.rules"


def load_ruleset(
    plugins: Iterable[Plugin] | None = None, *, official_only: bool = False, lock: Lock | Path | None = None
) -> RuleSet:
    """The rule set of the installed plugins (read once a process), or of the plugins given.

    `official_only`: only values whose own text was read bind. `lock`: what the operator admits (`lockfile`); it is read
    anew each time, for a reload. Raises RuleSetError without a national plugin.
    """
    if plugins is not None:
        return build(tuple(plugins), official_only=official_only)
    if lock is not None:
        return installed(official_only=official_only, lock=lockfile.read(lock) if isinstance(lock, Path) else lock)
    return _installed(official_only)


@cache
def _installed(official_only: bool) -> RuleSet:
    return installed(official_only=official_only)


def installed(*, official_only: bool = False, lock: Lock | None = None) -> RuleSet:
    """Read the installed plugins now, whatever was read before: files, metadata, and new workers for their Python."""
    importlib.invalidate_caches()
    found, rejected = discover(entry_points(group=GROUP), lock)
    if lock is None:
        return build(found, rejected, official_only=official_only, guarded=True)
    enforced = [plugin for plugin in found if lock.mode(*_key(plugin)) == "enforce"]
    ruleset = build(enforced, rejected, official_only=official_only, guarded=True)
    if len(enforced) == len(found):
        return ruleset
    return ruleset.advised_by(build(found, rejected, official_only=official_only, guarded=True))


def discover(points: Iterable[EntryPoint], lock: Lock | None = None) -> tuple[tuple[Plugin, ...], tuple[Rejected, ...]]:
    """Read each entry point's plugin by itself; what fails, or is not as locked, is rejected with its reason."""
    found: list[Plugin] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for point in sorted(set(points), key=lambda item: (item.name, item.value)):
        distribution = point.dist.name if point.dist else point.value
        mode = lock.mode(point.name, distribution) if lock is not None else "enforce"
        if mode is None or mode == "off":
            reason = "is not listed in the lock" if mode is None else "is switched off in the lock"
            told = f"{distribution} for {point.name} {reason}; it was not read"
            rejected.append(Rejected(distribution, None, told, by_choice=True))
            continue
        try:
            plugin = _read(point, distribution)
            if lock is not None and (problem := lock.mismatch(plugin.info)) is not None:
                raise RuleKitError(problem)
            found.append(plugin)
        except KeyboardInterrupt:
            raise
        except (RuleFileError, RuleKitError) as error:
            rejected.append(Rejected(distribution, _jurisdiction(point.name), str(error), _problems(error)))
        except BaseException as error:  # noqa: BLE001 - one plugin's fault must not keep the others out
            why = f"reading it raised {type(error).__name__}: {error}"
            rejected.append(Rejected(distribution, _jurisdiction(point.name), why))
        seen.add(point.name)
    for region, locked in lock.plugins.items() if lock is not None else ():
        if region not in seen and locked.mode != "off":
            name = locked.info.distribution
            rejected.append(Rejected(name, region, f"{name} {locked.info.version} is locked and not installed"))
    return tuple(found), tuple(rejected)


def _key(plugin: Plugin) -> tuple[str, str]:
    return plugin.jurisdiction, plugin.info.distribution


def _read(point: EntryPoint, distribution: str) -> Plugin:
    """Read the folder an entry point names. Its package is found and not imported: no plugin's code runs here."""
    spec = importlib.util.find_spec(point.module) if not point.attr else None
    if spec is None or not spec.submodule_search_locations:
        raise RuleKitError(f"the entry point {point.name} names {point.value}, expected a package that is installed")
    package = Path(spec.submodule_search_locations[0])
    version = point.dist.version if point.dist else "0"
    hooks = package / "hooks.py"
    plugin = plugins_module.read(
        plugins_module.folder_of(package), distribution, version, hooks if hooks.is_file() else None
    )
    if plugin.jurisdiction != point.name:
        raise RuleKitError(f"the entry point {point.name} leads to rules for {plugin.jurisdiction}")
    return plugin


def read_folder(root: Path) -> Plugin:
    """Read a plugin from a working copy that need not be installed (for `check` and tests).

    Its `hooks.py` is looked for in the one package beside `plugin.yaml`. Raises like `plugin.read`.
    """
    candidates = sorted(root.glob("*/hooks.py"))
    if len(candidates) > 1:
        raise RuleFileError(
            (FileProblem(root, Position(1, 1), "R-FILE", "more than one hooks.py", "存在多个 hooks.py"),)
        )
    return plugins_module.read(root, root.name, "0", candidates[0] if candidates else None)


def _jurisdiction(name: str) -> str | None:
    return name if len(name) == 6 and name.isascii() and name.isdigit() else None


def _problems(error: Exception) -> tuple[FileProblem, ...]:
    return error.problems if isinstance(error, RuleFileError) else ()
