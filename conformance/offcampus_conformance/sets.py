"""The frozen requirement set of a release of the standard: what must be passed for it, with a digest.

The suite may grow every week; the list that a target is held to for standard 1.0 may not. While the set is `open` it
follows the suite (`python -m offcampus_conformance.pages`); once it is `frozen` nothing in it changes, and new checks
run beside it without counting until the next set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from offcampus_spec import sets

from offcampus_conformance.check import PROFILES, Check
from offcampus_conformance.evidence import digest

STANDARD = "1.0"


@dataclass(frozen=True)
class RequirementSet:
    """The scored checks by profile, and the digest that reports carry."""

    standard: str
    status: Literal["open", "frozen"]
    digest: str
    checks: Mapping[str, tuple[str, ...]]


@cache
def frozen_set(standard: str = STANDARD) -> RequirementSet:
    """The set of a release. Raises ValueError when its content is not what its digest says."""
    return read(sets.load(standard))


def read(raw: Mapping[str, Any]) -> RequirementSet:
    """A set from its document. Raises ValueError when its content is not what its digest says."""
    told = {name: value for name, value in raw.items() if name != "digest"}
    if digest(told) != raw["digest"]:
        raise ValueError(f"requirement set {raw['standard']}: the content is not what its digest says")
    checks = {profile: tuple(entry["check"] for entry in entries) for profile, entries in raw["checks"].items()}
    return RequirementSet(raw["standard"], raw["status"], raw["digest"], checks)


def content(standard: str, status: str, checks: tuple[Check, ...]) -> dict[str, Any]:
    """What a set holds, made from the checks of the suite."""
    by_profile = {
        profile: [
            {"check": check.id, "level": check.level, "requirements": list(check.requirements)}
            for check in checks
            if check.profile == profile and check.lifecycle == "scored"
        ]
        for profile in PROFILES
    }
    body = {"standard": standard, "status": status, "checks": by_profile}
    return {"standard": standard, "status": status, "digest": digest(body), "checks": by_profile}


@cache
def suite_digest() -> str:
    """What tells one build of the suite from another: a digest over its code, its checks and its data."""
    root = resources.files(__package__)
    whole = hashlib.sha256()
    for file in sorted(_files(Path(str(root)))):
        whole.update(file.relative_to(Path(str(root))).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return "sha-256:" + whole.hexdigest()


def _files(root: Path) -> list[Path]:
    kept = (".py", ".j2", ".css", ".toml", ".yaml", ".lock")
    return [file for file in root.rglob("*") if file.suffix in kept and "__pycache__" not in file.parts]
