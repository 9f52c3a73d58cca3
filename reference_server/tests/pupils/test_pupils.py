"""Pupils: sealed at once, masked for ever, known once; a child of four may register."""

from __future__ import annotations

import pytest
from world import World, problem

NAMES = ["古丽米热·艾比布力", "葛曾䮌", "𠮷野家", "㛃", "张三丰", "欧阳 娜", "Anna Müller", "买买提·𠀀"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_byte_exact(sqlite_world: World, name: str) -> None:
    """Rare ideographs, middle dots, Latin: sealed as they came."""
    world = sqlite_world
    world.open_institution()
    world.ok(world.vendor.post("/v1/pupils", world.pupil_document(name=name)))
    with world.platform.storage.reading() as work:
        sealed = work.connection.exec_driver_sql("SELECT sealed FROM pupils").scalar_one()
    assert work.vault.open(sealed)["name"] == name


@pytest.mark.parametrize("name", ["", " 张", "张\u202e三", "张\u200b三", "张3", "张<b>", "\U0001f600", "x" * 61])
def test_things_that_are_no_name(sqlite_world: World, name: str) -> None:
    """Control and direction characters, digits, markup, emoji: refused at the name."""
    sqlite_world.open_institution()
    answer = sqlite_world.vendor.post("/v1/pupils", sqlite_world.pupil_document(name=name))
    problem(answer, 422, "schema.invalid", "/name")


def test_decomposed_letters_are_composed(sqlite_world: World) -> None:
    """e + accent and é are one name: the door normalises."""
    sqlite_world.open_institution()
    assert sqlite_world.vendor.post("/v1/pupils", sqlite_world.pupil_document(name="Rene\u0301")).status_code == 201


def test_masked_in_answers_and_lists(world: World) -> None:
    """Neither name, number, day of birth nor phone comes back."""
    world.open_institution()
    document = world.pupil_document()
    made = world.vendor.post("/v1/pupils", document)
    listed = world.vendor.get("/v1/pupils")
    for text in (made.get_data(as_text=True), listed.get_data(as_text=True)):
        for canary in (document["name"], document["id_number"], "2016-05-01", "艾比布力", "13900000007"):
            assert canary not in text
    assert made.json["name_masked"] == "古**"
    assert made.json["born_year"] == 2016
    assert made.json["guardians"][0]["phone_masked"].endswith("07")


def test_a_child_is_known_once_per_institution(world: World) -> None:
    """The same number again is told; at another institution it is another pseudonym."""
    world.open_institution()
    document = world.pupil_document()
    first = world.ok(world.vendor.post("/v1/pupils", document))
    problem(world.vendor.post("/v1/pupils", {**document, "external_id": "other"}), 409, "resource.exists")
    world.open_institution()
    elsewhere = {**document, "external_id": "elsewhere", "institution_id": world.ids["institution"]}
    assert world.ok(world.vendor.post("/v1/pupils", elsewhere))["id"] != first["id"]


def test_small_children_and_children_without_number(world: World) -> None:
    """The school-roll check never blocks: a child of four, a child without a number."""
    world.open_institution()
    small = world.pupil_document(born_on="2022-05-01", grade="preschool", id_type="none")
    del small["id_number"]
    assert world.ok(world.vendor.post("/v1/pupils", small))["roll_check"] == "unknown"


def test_without_consent_nothing_is_taken(world: World) -> None:
    """Consent must have been given."""
    world.open_institution()
    answer = world.vendor.post(
        "/v1/pupils", world.pupil_document(consent={"given": False, "given_on": "2026-01-01", "text_version": "1"})
    )
    problem(answer, 422, "schema.invalid", "/consent/given")
    assert world.count("pupils") == 0


def test_two_guardians_with_one_reference(world: World) -> None:
    """Guardians are told apart by their own reference."""
    world.open_institution()
    document = world.pupil_document()
    document["guardians"] *= 2
    problem(world.vendor.post("/v1/pupils", document), 422, "schema.invalid", "/guardians/1/external_id")
