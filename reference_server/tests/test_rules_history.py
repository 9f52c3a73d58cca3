"""What the rules decided, refusals included, is kept so that it can be judged again, bit for bit and by other rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from offcampus_rules.cli import main as offcampus_rules
from offcampus_rules.rule_sources import parse, trying
from offcampus_rules.ruleset import Rejected, build
from offcampus_server.kernel.decisions import decisions
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.rules_commands import case_of
from offcampus_spec import schemas
from sqlalchemy import select
from world import Document, World, problem


@pytest.fixture
def shop(world: World) -> World:
    """A course on sale, a family with a contract, an account at the bank."""
    world.open_class()
    world.open_family()
    world.open_account()
    return world


def cases(world: World) -> list[Document]:
    def read(work: Work) -> list[Document]:
        query = select(decisions).order_by(decisions.c.decided_at, decisions.c.id)
        return [case_of(row) for row in work.connection.execute(query).mappings()]

    with world.platform.storage.reading() as work:
        return read(work)


def test_a_refusal_outlives_the_request_that_it_refused(shop: World) -> None:
    """Nothing of the order is stored; the decision is, with what it judged, and the county can read it."""
    before = len(cases(shop))
    refused = shop.vendor.post("/v1/orders", shop.order_document(class_hours_centi=6001))
    body = problem(refused, 422, "rules.refused")
    assert shop.count("orders") == 0
    kept = cases(shop)[before:]
    assert [(case["question"], case["outcome"], case["case"]) for case in kept] == [
        ("charge", "refuse", body["request_id"])
    ]
    assert kept[0]["facts"]["class_hours_centi"] == 6001
    listed = shop.ok(shop.authority.get("/v1/decisions"))["items"]
    assert [item["outcome"] for item in listed if item["subject"] == body["request_id"]] == ["refuse"]


def test_who_is_admitted_is_asked_of_the_rules(world: World) -> None:
    """A hit in the clearance query and a clean one: both decisions are kept, the refused one by its request."""
    world.open_institution()
    document = world.staff_document()
    hit = {**document, "clearance": {**document["clearance"], "result": "hit"}}
    body = problem(world.vendor.post("/v1/staff", hit), 422, "rules.refused")
    made = world.ok(world.vendor.post("/v1/staff", document))
    kept = [case for case in cases(world) if case["question"] == "staff"]
    assert [(case["case"], case["outcome"]) for case in kept] == [(body["request_id"], "refuse"), (made["id"], "allow")]
    assert [case["facts"].get("clearance_hit") for case in kept] == [True, False]
    assert "贾" not in json.dumps(kept, ensure_ascii=False)


def test_lessons_are_kept_with_the_decisions_about_them(world: World) -> None:
    """One that is taken and one that ends too late: each has its decision, by its id or its own reference."""
    world.open_class()
    before = len(cases(world))
    lawful = world.lesson_document(1, starts_at=world.lesson_at(1, 14), ends_at=world.lesson_at(1, 15))
    late = world.lesson_document(2, starts_at=world.lesson_at(2, 20), ends_at=world.lesson_at(2, 22))
    results = world.ok(world.vendor.post("/v1/lessons/batch", {"items": [lawful, late]}))["results"]
    kept = {case["case"]: case["outcome"] for case in cases(world)[before:]}
    assert kept == {results[0]["id"]: "allow", late["external_id"]: "refuse"}


def test_a_plugin_that_fails_is_told_in_the_log(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which plugin, at what, where; the answer is `rules.unavailable`, and the decision is kept."""
    heard: list[tuple[str, str, str]] = []
    monkeypatch.setattr(
        "offcampus_server.kernel.observe.alarms",
        lambda found, region: heard.extend((alarm.plugin, alarm.hook, region) for alarm in found),
    )
    nation = shop.platform.rules().assembly.plugins[0]
    broken = build([nation], [Rejected("offcampus-rules-beijing", "110000", "cannot be read")])
    monkeypatch.setattr(shop.platform.storage, "rules", lambda: broken)
    problem(shop.vendor.post("/v1/orders", shop.order_document()), 503, "rules.unavailable")
    assert ("offcampus-rules-beijing", "check_charge", "110105") in heard
    assert [case["outcome"] for case in cases(shop) if case["question"] == "charge"] == ["error"]


def test_a_record_refused_in_a_batch_is_kept_beside_those_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lessons must end by eleven, a record until half past is refused at its index; its decision names it."""
    world.ready()
    early = {"occurred_until": world.lesson_at(1, 11), "class_hours_centi": 100}
    lawful, late = world.record_document(1, **early), world.record_document(2)
    stricter = trying(world.platform.rules(), parse("lesson.ends_by@110000=11:00:2020-01-01"))
    monkeypatch.setattr(world.platform.storage, "rules", lambda: stricter)
    sent = {"items": [lawful, late]}
    results = world.ok(world.vendor.post("/v1/consumption-records/batch", sent))["results"]
    assert [result["problem"]["code"] for result in results if "problem" in result] == ["rules.refused"]
    kept = {case["case"]: case["outcome"] for case in cases(world) if case["question"] == "consumption"}
    assert kept == {results[0]["id"]: "allow", late["external_id"]: "refuse"}


def test_a_history_gives_the_same_answers_again_and_others_by_other_rules(shop: World, tmp_path: Path) -> None:
    """Written by the server, replayed by the kit: each stored answer bit for bit; a lower cap refuses what passed."""
    shop.ok(shop.vendor.post("/v1/orders", shop.order_document()), 201)
    problem(shop.vendor.post("/v1/orders", shop.order_document(class_hours_centi=6001)), 422, "rules.refused")
    file = tmp_path / "history.ndjson"
    file.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases(shop)), encoding="utf-8")
    validator = schemas.validator("rule-history")
    assert all(validator.is_valid(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())
    same = CliRunner().invoke(offcampus_rules, ["replay", "--history", str(file), "--mode", "reproduce"])
    assert same.exit_code == 0, same.output
    report = tmp_path / "report.json"
    lower = "precharge.hours_max@110000=30:2020-01-01"
    tried = ["replay", "--history", str(file), "--set", lower, "--out", str(report)]
    other = CliRunner().invoke(offcampus_rules, tried)
    assert other.exit_code == 0, other.output
    changes = json.loads(report.read_text(encoding="utf-8"))["changes"]
    assert (changes["newly_refused"]["rows"], changes["newly_allowed"]["rows"]) == (1, 0)
