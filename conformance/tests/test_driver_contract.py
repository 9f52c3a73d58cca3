"""The driver's contract, the scenarios and the stand-ins say the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from offcampus_conformance.drivers.http import HttpDriver
from offcampus_conformance.played_platform.dressing import new_id
from offcampus_conformance.scenario.documents import Known, resolve
from offcampus_conformance.scenario.language import load
from offcampus_conformance.standins.bench import on_the_bench
from offcampus_conformance.synthetic import Synthetic
from offcampus_spec import schemas
from offcampus_spec.operations import load_document
from openapi_spec_validator import validate

PREFIX = "/v1/actions/"
PROFILES = ("institution-system", "bank")


def contract() -> dict[str, str]:
    """Each action with the schema of what it is given."""
    document = load_document("driver")
    return {
        path.removeprefix(PREFIX).replace("-", "_"): item["post"]["requestBody"]["content"]["application/json"][
            "schema"]["$ref"].rpartition("/")[2]
        for path, item in document["paths"].items()
        if path.startswith(PREFIX)
    }  # fmt: skip


class Anything(Known):
    """Knows an identifier of the right kind by every name."""

    def __missing__(self, name: str) -> str:
        kinds = {"institution": "ins", "account": "cac", "consumption": "con", "lesson": "les", "class": "cls",
                 "campus": "cmp", "staff": "stf", "course": "crs", "guardian": "grd", "contract": "ctr",
                 "subscription": "sub", "refund": "rfd", "pupil": "pup", "order": "ord"}  # fmt: skip
        return new_id(kinds[name.partition(".")[0]], name)


def test_the_contract_stands_alone_and_is_valid() -> None:
    """A vendor's generator gets one file."""
    validate(load_document("driver"))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_scenario_asks_only_what_the_contract_has(profile: str) -> None:
    """Every action is in the contract, and what it is given fits its schema."""
    known, make = contract(), Synthetic("t", date(2025, 9, 8), "110105")
    for step in load(profile).steps():
        if step.ask is not None:
            given: Any = resolve(step.given, make, Anything())
            errors = [error.message for error in schemas.validator(known[step.ask]).iter_errors(given)]
            assert errors == [], step.id


@pytest.mark.parametrize("profile", PROFILES)
def test_the_good_systems_offer_what_their_scenario_asks(profile: str) -> None:
    """A stand-in shows the whole contract of its profile."""
    asked = {step.ask for step in load(profile).steps() if step.ask is not None}
    with on_the_bench(profile) as bench:
        driver = HttpDriver(str(bench.config.driver_url))
        description = driver.describe()
        driver.close()
    assert description.follows_clock
    assert description.actions is not None
    assert asked <= description.actions


def test_the_contract_has_no_action_that_nobody_asks() -> None:
    """What no scenario asks for would be work for nothing."""
    asked = {step.ask for profile in PROFILES for step in load(profile).steps()}
    assert contract().keys() <= asked
