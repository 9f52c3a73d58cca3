"""`baseline.toml`: the failures that a vendor knows of and works on.

They do not redden the vendor's CI, but the report shows every one of them, and one that was mended and is still listed
ends the run with an exit code of its own: a list that nobody prunes would hide the next failure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Set
from pathlib import Path

from offcampus_conformance.config import ConfigError
from offcampus_conformance.finding import Verdict
from offcampus_conformance.verdict import SATISFIED, Result, reddens

HEAD = """\
# Known failures: they do not redden CI. Take an entry out when it is mended; one too many ends the run with exit 5.
# 已知未通过项，不影响持续集成结果；修复后须删除，否则以退出码5结束。
"""


def load(path: Path) -> frozenset[str]:
    """The ids of the checks that are known to fail. Raises ConfigError when the file cannot be read."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("known", [])
        found = [(entry["check"], entry["reason"]) for entry in entries]
    except FileNotFoundError:
        raise ConfigError(f"report.baseline: {path} does not exist; `run --update-baseline` writes it") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: each [[known]] has a check and a reason ({error})") from None
    if empty := [check for check, reason in found if not str(reason).strip()]:
        raise ConfigError(f"{path}: {empty[0]} has no reason")
    return frozenset(str(check) for check, _ in found)


def stale(known: Set[str], results: Iterable[Result]) -> tuple[str, ...]:
    """Entries that passed in this run: they are to be taken out. What was not judged says nothing."""
    verdicts = {result.check.id: result.verdict for result in results}
    return tuple(sorted(id for id in known if verdicts.get(id) in SATISFIED | {Verdict.SKIP}))


def render(results: Iterable[Result]) -> str:
    """A baseline with every red check of a run, to be given reasons."""
    entries = [
        f'[[known]]\ncheck = "{result.check.id}"\nreason = "to be mended: {result.verdict.value}"\n'
        for result in results
        if reddens(result)
    ]
    return "\n".join([HEAD, *entries])
