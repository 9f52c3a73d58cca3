"""The kill tables of `institution-system` and `bank`: the good pass, the lawful stay green, each faulty is named.

Every run plays the good systems and a few faults in a turn that changes from day to day; `-m slow` plays a third of
them, `-m long` all.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from offcampus_conformance.check import checks_of
from offcampus_conformance.standins.bench import FAULTS
from offcampus_conformance.standins.faults.kit import Fault
from offcampus_conformance.standins.proof import Played, all_faulty, all_lawful, faulty, good
from offcampus_conformance.standins.variations import variations

PROFILES = ("institution-system", "bank")
MOST_OTHERS = 2
SHARES = 3
LAWFUL_A_DAY = 5
DRAGS_ALONG = {
    "AsksTokensWithTheOldKey": "no token is given any more, so nothing after the change of keys arrives",
    "DoesNotComeBack": "nothing after the restart arrives",
    "PaysWhatItFetchesTwice": "a movement that is not in the books stands in no balance and no statement",
    "RenamesLines": "a second line of one movement stands in no balance and no statement",
}
"""Faults that redden more than two other checks, and why they must."""


def found(played: Played) -> None:
    """The named check is red where the fault was active, little else is, and the suite made no error."""
    assert played.errors == (), played.name
    assert played.killed, (
        f"{played.name}: {played.killed_by} is {played.not_green.get(played.killed_by or '', 'green')}"
    )
    if played.name not in DRAGS_ALONG:
        assert len(played.others) <= MOST_OTHERS, f"{played.name} reddens {played.others} too"


def test_the_good_systems_pass_and_faults_of_the_day_are_found() -> None:
    """No false alarm, and a fault of each profile: over the months each has its turn. All at once: they mostly wait."""
    today = date.today().toordinal()
    with ThreadPoolExecutor() as pool:
        right = {profile: pool.submit(good, profile) for profile in PROFILES}
        quick = {profile: [fault for fault in FAULTS[profile] if not fault.alone] for profile in PROFILES}
        wrong = [pool.submit(faulty, profile, quick[profile][today % len(quick[profile])]) for profile in PROFILES]
    assert {profile: played.result().not_green for profile, played in right.items()} == {name: {} for name in PROFILES}
    assert [played.result().errors for played in right.values()] == [(), ()]
    for played in wrong:
        found(played.result())


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_a_third_of_the_faults_is_found(profile: str) -> None:
    """Three days make the whole table."""
    turn = date.today().toordinal() % SHARES
    for played in all_faulty(profile, FAULTS[profile][turn::SHARES]):
        found(played)


@pytest.mark.long
@pytest.mark.parametrize("profile", PROFILES)
def test_each_fault_is_found_by_its_check(profile: str) -> None:
    """Every fault is killed by the check that is named for it."""
    for played in all_faulty(profile):
        found(played)


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_some_unusual_and_lawful_systems_stay_green(profile: str) -> None:
    """What the standard allows is no finding: some of them a day."""
    names = list(variations(profile))
    turn = date.today().toordinal() % len(names)
    green(all_lawful(profile, (names + names)[turn : turn + LAWFUL_A_DAY]))


@pytest.mark.long
@pytest.mark.parametrize("profile", PROFILES)
def test_all_unusual_and_lawful_systems_stay_green(profile: str) -> None:
    """What the standard allows is no finding."""
    played = all_lawful(profile)
    green(played)
    assert len(played) >= 20


def green(played: list[Played]) -> None:
    assert {one.name: one.not_green for one in played if one.not_green} == {}
    assert [one.errors for one in played if one.errors] == []


@pytest.mark.long
@pytest.mark.parametrize("profile", PROFILES)
def test_twenty_runs_without_a_false_alarm(profile: str) -> None:
    """The good system is green every time, whatever the seed."""
    alarms = [(seed, played.not_green) for seed in range(20) if (played := good(profile, seed=seed)).not_green]
    assert alarms == []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_check_finds_a_fault_of_its_own(profile: str) -> None:
    """A check that no fault makes red may be a check that cannot fail; each has one that it alone is named for."""
    named = Counter(fault.killed_by for fault in FAULTS[profile])
    assert named.keys() == {check.id for check in checks_of(profile)}


@pytest.mark.parametrize("profile", PROFILES)
def test_faults_have_a_name_of_their_own_and_say_what_is_wrong(profile: str) -> None:
    """The kill table is read by people."""
    names = Counter(fault.name for fault in FAULTS[profile])
    assert [name for name, count in names.items() if count > 1] == []
    assert [fault.name for fault in FAULTS[profile] if not says_something(fault)] == []


def says_something(fault: Fault) -> bool:
    return fault.says_en.endswith(".") and len(fault.says_en) > 20
