"""Finds the installed plugins by entry point (group `offcampus.rules`, named by jurisdiction) and reads each by itself.

One broken plugin never stops the others: whatever its import raises, SystemExit included, becomes a rejection that
names it. The same distribution found twice under one path is read once (stale metadata); one name with two packages
behind it is refused, since nobody can say which is meant.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from offcampus_rules import plugin as plugins_module
from offcampus_rules.errors import FileProblem, Position, RuleFileError, RuleKitError
from offcampus_rules.plugin import Plugin
from offcampus_rules.ruleset import Rejected, RuleSet, build

GROUP = "offcampus.rules"


def load_ruleset(plugins: Iterable[Plugin] | None = None, *, official_only: bool = False) -> RuleSet:
    """The rule set of the installed plugins (read once a process), or of the plugins given.

    `official_only`: only values whose own text was read bind. Raises RuleSetError without a national plugin.
    """
    if plugins is None:
        return _installed(official_only)
    return build(tuple(plugins), official_only=official_only)


@cache
def _installed(official_only: bool) -> RuleSet:
    found, rejected = discover(entry_points(group=GROUP))
    return build(found, rejected, official_only=official_only, guarded=True)


def discover(points: Iterable[EntryPoint]) -> tuple[tuple[Plugin, ...], tuple[Rejected, ...]]:
    """Read each entry point's plugin by itself; what fails is rejected with its reason."""
    found: list[Plugin] = []
    rejected: list[Rejected] = []
    for point in sorted(set(points), key=lambda item: (item.name, item.value)):
        distribution = point.dist.name if point.dist else point.value
        try:
            found.append(_read(point, distribution))
        except KeyboardInterrupt:
            raise
        except (RuleFileError, RuleKitError) as error:
            rejected.append(Rejected(distribution, _jurisdiction(point.name), str(error), _problems(error)))
        except BaseException as error:  # noqa: BLE001 - an import may raise anything; the others must still load
            rejected.append(
                Rejected(distribution, _jurisdiction(point.name), f"its import raised {type(error).__name__}: {error}")
            )
    return tuple(found), tuple(rejected)


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
