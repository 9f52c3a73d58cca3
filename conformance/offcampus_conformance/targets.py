"""Where a run's configuration comes from: the file, or a stand-in that is started for the run.

standin:vendor            a good vendor's system         standin:vendor,fault=NAME    one with a named fault
standin:bank              a good bank's system           standin:bank,fault=NAME
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offcampus_conformance.config import Config, ConfigError, load

PROFILES = {"vendor": "institution-system", "bank": "bank"}
SHOWN = 12


@contextmanager
def configured(path: Path, target: str | None) -> Iterator[Config]:
    """The configuration of a run, for as long as the block lasts. Raises ConfigError."""
    if target is None:
        yield load(path)
        return
    # Imported on demand: a vendor's own run needs no stand-in.
    from offcampus_conformance.standins.bench import FAULTS, on_the_bench

    profile, fault = _parsed(target)
    names = sorted(entry.name for entry in FAULTS[profile])
    if fault and fault not in names:
        raise ConfigError(f"--target: {target!r} names no fault; some of {len(names)}: {', '.join(names[:SHOWN])}")
    with on_the_bench(profile, fault) as bench:
        yield bench.config


def _parsed(target: str) -> tuple[str, str]:
    kind, _, rest = target.partition(":")
    name, _, option = rest.partition(",")
    key, _, fault = option.partition("=")
    if kind != "standin" or name not in PROFILES or key not in ("", "fault"):
        raise ConfigError(f"--target is {target!r}; allowed: standin:vendor or standin:bank, with ,fault=NAME")
    return PROFILES[name], fault
