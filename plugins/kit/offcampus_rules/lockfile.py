"""The operator's lock: which plugin speaks for which region, in which version and with which content, and how.

    plugins:
      - {jurisdiction: "000000", distribution: rules-national, version: "0.1.0", digest: "sha-256:…", mode: enforce}

- What is not listed is not read; `off` neither. Both are told and close no gate: the operator decided so.
- What is listed and missing, or is another version or content, closes its region's gates: the operator counted on it.
- `advisory`: its findings are told beside the decision (`advised`) and refuse nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from offcampus_rules import yaml12
from offcampus_rules.decision import PluginInfo
from offcampus_rules.errors import RuleFileError
from offcampus_rules.validation import valid_shape

Mode = Literal["enforce", "advisory", "off"]
NAME = "rules.lock.yaml"


@dataclass(frozen=True, slots=True)
class Locked:
    """One line of the lock."""

    info: PluginInfo
    mode: Mode


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock by jurisdiction."""

    plugins: Mapping[str, Locked]

    def mode(self, jurisdiction: str, distribution: str) -> Mode | None:
        """How a plugin is to be used; None: it is not listed."""
        locked = self.plugins.get(jurisdiction)
        return locked.mode if locked is not None and locked.info.distribution == distribution else None

    def mismatch(self, info: PluginInfo) -> str | None:
        """In which respect a plugin is not the one that is locked; None: it is."""
        wanted = self.plugins[info.jurisdiction].info
        for what, given, allowed in (
            ("version", info.version, wanted.version),
            ("content", info.digest, wanted.digest),
        ):
            if given != allowed:
                return f"its {what} is {given}, the lock has {allowed}; check it, then lock again"
        return None


def read(file: Path) -> Lock:
    """Read a lock. Raises RuleFileError for one that has not the shape, or lists a region twice."""
    document = yaml12.load(file)
    if problems := valid_shape(document, "lock"):
        raise RuleFileError(problems)
    plugins: dict[str, Locked] = {}
    for index, item in enumerate(cast("dict[str, list[dict[str, str]]]", document.content)["plugins"]):
        region = item["jurisdiction"]
        if region in plugins:
            place = ("plugins", index, "jurisdiction")
            raise RuleFileError((document.problem(place, "R-NAME", f"{region} is locked twice", f"{region} 重复锁定"),))
        info = PluginInfo(region, item["distribution"], item["version"], item["digest"])
        plugins[region] = Locked(info, cast("Mode", item["mode"]))
    return Lock(plugins)


def of(plugins: Iterable[PluginInfo], known: Lock | None = None) -> Lock:
    """A lock of what is installed now; the modes of a lock that is known are kept."""
    lines = {}
    for info in plugins:
        mode = known.mode(info.jurisdiction, info.distribution) if known is not None else None
        lines[info.jurisdiction] = Locked(info, mode or "enforce")
    for region, locked in known.plugins.items() if known is not None else ():
        if locked.mode == "off":
            lines.setdefault(region, locked)
    return Lock(dict(sorted(lines.items())))


def written(lock: Lock) -> str:
    """The lock as its file."""
    head = "# Which plugins are in force here (offcampus-rules lock). mode: enforce, advisory or off\nplugins:\n"
    return head + "".join(
        f'  - jurisdiction: "{region}"\n    distribution: {locked.info.distribution}\n'
        f'    version: "{locked.info.version}"\n    digest: "{locked.info.digest}"\n    mode: "{locked.mode}"\n'
        for region, locked in lock.plugins.items()
    )
