"""A check: one judgement over the record, declared beside what it means and how to mend what it finds.

A check is a pure function of a `View`: a live run, a re-judgement of stored evidence and a comparison of two runs
share this one path. It returns nothing when the target holds to the standard and raises `Deviation` when not.

Life of a check: `pending` (runs, is shown, counts for nothing) -> `advisory` (its failure is a warning) -> `scored`.
What a target must pass for a release of the standard is frozen apart from this, in the release's requirement set.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from offcampus_conformance.record import View

Level = Literal["MUST", "SHOULD", "MAY"]
Lifecycle = Literal["pending", "advisory", "scored"]
Judge = Callable[[View], None]
PROFILES = ("platform", "institution-system", "bank", "rules")


@dataclass(frozen=True)
class Check:
    """One entry of the catalogue of checks. Ids are locked (`checks/ids.lock`) and never reused."""

    id: str
    profile: str
    level: Level
    title: str
    requirements: tuple[str, ...]
    remedy_en: str
    remedy_zh: str
    judge: Judge
    needs: tuple[str, ...] = ()
    claims: str | None = None
    """The capability that a target must claim for this check to apply; None: it always applies."""
    sends: str = ""
    source: str = field(default="", compare=False)
    meets: tuple[str, ...] = ()
    """Patterns of labels of which the check must look at one exchange each; a pass without them is not exercised."""
    lifecycle: Lifecycle = "scored"
    since: str = "0.1.0"
    """The version of the suite that brought it."""
    title_zh: str = ""
    shown_by: tuple[str, ...] = ()
    """For a check of a claim: patterns of labels; an accepted one shows that the target has what it does not claim."""


class Catalogue:
    """The checks of one profile, collected by decoration."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def check(
        self, id: str, *, profile: str, level: Level, requirements: tuple[str, ...], remedy_en: str, remedy_zh: str,
        needs: tuple[str, ...] = (), claims: str | None = None, sends: str = "", meets: tuple[str, ...] = (),
        lifecycle: Lifecycle = "scored", since: str = "0.1.0", title_zh: str = "", shown_by: tuple[str, ...] = (),
    ) -> Callable[[Judge], Judge]:  # fmt: skip
        """Declare a check. The function's docstring is its title; raises ValueError on a repeated id."""

        def declare(judge: Judge) -> Judge:
            title = " ".join((judge.__doc__ or "").split())
            if not title:
                raise ValueError(f"check {id} has no docstring: it says what is judged")
            if any(known.id == id for known in self.checks):
                raise ValueError(f"check id {id} is declared twice")
            source = f"{judge.__module__.rpartition('.')[2]}.{judge.__name__}"
            remedies = (remedy_en, remedy_zh)
            self.checks.append(
                Check(
                    id, profile, level, title, requirements, *remedies, judge, needs=needs, claims=claims, sends=sends,
                    source=source, meets=meets, lifecycle=lifecycle, since=since, title_zh=title_zh, shown_by=shown_by,
                )
            )  # fmt: skip
            return judge

        return declare


catalogue = Catalogue()
check = catalogue.check


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check of every profile, by id. Raises ValueError when one needs what does not exist or is optional."""
    from offcampus_conformance import checks  # the package of checks imports this module

    for module in pkgutil.walk_packages(checks.__path__, checks.__name__ + "."):
        importlib.import_module(module.name)
    found = tuple(sorted(catalogue.checks, key=lambda item: item.id))
    known = {item.id: item for item in found}
    for item in found:
        if missing := set(item.needs) - known.keys():
            raise ValueError(f"check {item.id} needs {sorted(missing)}, which do not exist")
        if optional := [need for need in item.needs if known[need].claims not in (None, item.claims)]:
            raise ValueError(f"check {item.id} needs {optional}, which are judged only under a claim that it lacks")
    return found


def checks_of(profile: str) -> tuple[Check, ...]:
    """The checks of one profile, by id."""
    return tuple(item for item in all_checks() if item.profile == profile)
