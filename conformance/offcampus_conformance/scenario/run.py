"""One run of a scenario against a system that connects: the played platform, the driver, the stage."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

from offcampus_conformance.config import Config, ConfigError
from offcampus_conformance.drivers.by_hand import ByHandDriver, terminal
from offcampus_conformance.drivers.command import CommandDriver
from offcampus_conformance.drivers.contract import Driver
from offcampus_conformance.drivers.http import HttpDriver
from offcampus_conformance.played_platform.server import PlayedPlatform
from offcampus_conformance.record import Record
from offcampus_conformance.scenario.language import load
from offcampus_conformance.scenario.play import Stage
from offcampus_conformance.synthetic import Synthetic

PARTIES = {"institution-system": "vendor", "bank": "bank"}
Progress = Callable[[str], None]


def play(
    config: Config, record: Record, progress: Progress, *, driver: Driver | None = None,
    chapters: Collection[str] | None = None, hurry: bool = False,
) -> None:  # fmt: skip
    """Play the profile's scenario. Raises ConfigError when the configuration does not say how.

    Args:
        driver: another way to drive the system than the configuration's.
        chapters: only these; what builds on others is left out.
        hurry: try a refused delivery once only, instead of for as long as its step says.
    """
    scenario = load(config.profile)
    party = config.party(PARTIES[config.profile])
    jwk = json.loads(party.key_file.read_text(encoding="utf-8"))
    public = {name: str(value) for name, value in jwk.items() if name in ("kty", "crv", "x")}
    driver = driver or driver_of(config)
    platform = PlayedPlatform(record, party.client_id, [public])
    platform.start(config.listen_port)
    make = Synthetic(config.tag, scenario.starts_on, config.region_code, config.seed)
    stage = Stage(scenario, driver, platform, make, record, where=config.address)
    if hurry:
        stage.courier.pauses_s = ()
    try:
        stage.play(progress, chapters)
    finally:
        platform.stop()
        driver.close()


def driver_of(config: Config) -> Driver:
    """The way in which the configuration says that the system is driven."""
    if config.driver_url is not None:
        return HttpDriver(config.driver_url)
    if config.driver_command:
        return CommandDriver(config.driver_command)
    if config.by_hand:
        return ByHandDriver(config.show or terminal())
    raise ConfigError(
        "target.driver_url, target.driver_command or target.by_hand is missing: the suite must make your system act"
    )


def smoke(config: Config) -> list[str]:
    """What is wrong with the way to the system; empty when its driver says what it offers, or a person drives it."""
    load(config.profile)
    driver = driver_of(config)
    try:
        if config.by_hand or driver.describe().actions:
            return []
    finally:
        driver.close()
    if config.driver_url is not None:
        return [f"the driver does not list its actions; try: curl -i {config.driver_url.rstrip('/')}/v1/driver"]
    return [f"the command does not list its actions; try: {' '.join(config.driver_command)} describe < /dev/null"]
