"""Two reports of one target: what got better, what got worse, and what is no longer exercised. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from offcampus_conformance.verdict import GREEN, JUDGED


@dataclass(frozen=True)
class Change:
    """One check whose verdict is another one now; None where a report does not have the check."""

    check: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.check}: {self.before or 'absent'} -> {self.after or 'absent'}"


@dataclass(frozen=True)
class Comparison:
    """What changed between two reports."""

    better: tuple[Change, ...] = ()
    worse: tuple[Change, ...] = ()
    unexercised: tuple[Change, ...] = ()
    """Judged before, judged no more: neither better nor worse, and easily overlooked."""
    added: tuple[Change, ...] = ()
    other: tuple[Change, ...] = ()

    @property
    def same(self) -> bool:
        """Every check has the verdict that it had."""
        return self == Comparison()


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Compare two reports by check. Raises ValueError when they are about different profiles."""
    profiles = before["header"]["profile"], after["header"]["profile"]
    if profiles[0] != profiles[1]:
        raise ValueError(f"a report on {profiles[0]} cannot be compared with one on {profiles[1]}")
    old = {result["check"]: result["verdict"] for result in before["results"]}
    new = {result["check"]: result["verdict"] for result in after["results"]}
    kinds: dict[str, list[Change]] = {}
    for check in sorted(old.keys() | new.keys()):
        change = Change(check, old.get(check), new.get(check))
        if change.before != change.after:
            kinds.setdefault(_kind(change), []).append(change)
    return Comparison(**{kind: tuple(changes) for kind, changes in kinds.items()})


def _kind(change: Change) -> str:
    if change.before is None:
        return "added"
    if change.before in JUDGED and change.after not in {*JUDGED, "error"}:
        return "unexercised"
    if change.after in GREEN:
        return "better"
    if change.before in GREEN or (change.before == "warn" and change.after == "fail"):
        return "worse"
    return "better" if (change.before, change.after) == ("fail", "warn") else "other"


def comparison_text(found: Comparison) -> str:
    """The comparison for a terminal; what got worse last, where the eye rests."""
    titles = (
        ("added", "new 新增"), ("other", "otherwise 其他变化"), ("better", "better 改善"),
        ("unexercised", "no longer exercised 不再触及"), ("worse", "worse 变差"),
    )  # fmt: skip
    lines = []
    for name, title in titles:
        changes: tuple[Change, ...] = getattr(found, name)
        lines += [f"{title} ({len(changes)})", *(f"  {change}" for change in changes)] if changes else []
    return "\n".join(lines) or "no check has another verdict 无变化"
