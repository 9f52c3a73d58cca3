"""What the suite does to a vendor's system: it plays the platform and leads it through two school months.

The scenario is data: `scenarios/institution-system.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable

from offcampus_conformance.config import Config
from offcampus_conformance.record import Record
from offcampus_conformance.scenario.run import play
from offcampus_conformance.scenario.run import smoke as smoke


def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
    """Play the platform for one vendor's system."""
    play(config, record, progress)
