"""The rules that a server process decides with, and their change without a restart.

With a lock (`OFFCAMPUS_RULES_LOCK`) every process looks at the file each second; when it has changed, everything is
read again beside the rules in force and then takes their place at one stroke. A unit of work takes its rules once, so
that nobody decides with a mixture. Rules that cannot be read change nothing and are told. Each set that comes into
force is archived (`OFFCAMPUS_RULES_ARCHIVE`) under the digest that decisions carry, to decide them again years later.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from offcampus_rules import RuleSet, load_ruleset
from offcampus_rules.archive import ArchiveError, write
from offcampus_rules.errors import RuleKitError
from offcampus_rules.holder import RuleSetHolder

from offcampus_server.kernel.observe import log
from offcampus_server.settings import Settings

LOOKED_AT_EVERY_S = 1.0


@dataclass
class RulesInForce:
    """Call it for the rules in force now. Raises RuleKitError at start when there are none."""

    lock: Path | None = None
    archive: Path | None = None
    official_only: bool = False
    _holder: RuleSetHolder = field(init=False)
    _seen: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = self._look()
        self._holder = RuleSetHolder(lambda: load_ruleset(official_only=self.official_only, lock=self.lock))
        self._came_into_force()

    def __call__(self) -> RuleSet:
        return self._holder.current

    @classmethod
    def of(cls, settings: Settings) -> RulesInForce:
        """As the settings say."""
        return cls(settings.rules_lock, settings.rules_archive, settings.rules_official_only)

    def watch(self) -> None:
        """Look at the lock from now on, as long as the process lives."""
        if self.lock is not None:
            threading.Thread(target=self._watch, name="rules", daemon=True).start()

    def look_again(self) -> bool:
        """Read everything again when the lock has changed; True when other rules came into force."""
        seen = self._look()
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            reloaded = self._holder.reload()
        except (RuleKitError, OSError) as error:
            log().error("rules_not_reloaded", error=error, still_in_force=self._holder.current.digest)
            return False
        if reloaded.changed:
            self._came_into_force()
        return reloaded.changed

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOKED_AT_EVERY_S):
            self.look_again()

    def _look(self) -> tuple[int, int]:
        if self.lock is None:
            return (0, 0)
        try:
            found = self.lock.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)

    def _came_into_force(self) -> None:
        ruleset = self._holder.current
        plugins = [f"{info.jurisdiction} {info.distribution} {info.version}" for info in ruleset.plugins]
        log().info("rules_in_force", digest=ruleset.digest, plugins=plugins)
        for rejected in ruleset.rejected:
            log().warning("rules_left_out", plugin=rejected.name, region_code=rejected.jurisdiction)
        if self.archive is not None:
            try:
                write(ruleset, self.archive)
            except (ArchiveError, OSError) as error:
                log().error("rules_not_archived", error=error, digest=ruleset.digest)
