"""What the suite does to a bank's system: it plays the platform and leads it through a month of custody.

The scenario is data: `scenarios/bank.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable

from offcampus_conformance.config import Config
from offcampus_conformance.record import Record
from offcampus_conformance.scenario.run import play
from offcampus_conformance.scenario.run import smoke as smoke


def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
    """Play the platform for one bank's system."""
    play(config, record, progress)
