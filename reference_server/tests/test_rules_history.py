"""What the rules decided, refusals included, is kept so that it can be judged again, bit for bit and by other rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from offcampus_rules.cli import main as offcampus_rules
from offcampus_rules.rule_sources import parse, trying
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
