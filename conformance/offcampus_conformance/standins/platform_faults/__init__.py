"""Faulty platforms: each is a sound one with a single named deviation, seen from outside.

A fault is a function of one exchange as it passes: it answers in the platform's place, or lets the answer through. The
same function serves live (`faulty_platform`, a proxy in front of any platform) and over a record of a sound run, where
it costs nothing. Faults were written from the requirements, not from the checks.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from offcampus_conformance.standins.platform_faults.fault import Fault, declared


@cache
def faults() -> dict[str, Fault]:
    """Every named fault of a platform, by name."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return {item.name: item for item in sorted(declared, key=lambda item: item.name)}
