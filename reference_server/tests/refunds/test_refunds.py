"""A refund from the request to the last fen: by whom, by when, how much, through which channels, and never twice."""

from __future__ import annotations

from typing import Any

import pytest
from money import (
    agreed,
    approve,
    ask,
    balanced,
    dispute,
    event_types,
    execute,
    fail,
    in_contract,
    instructions,
    line,
    object_to,
    refund,
    resolve,
    surely_failed,
    sweep,
    take,
)
from offcampus_server.funds.releases import release_waiting
from offcampus_server.refunds.decisions import Account, since, work_out
from offcampus_server.refunds.service import agree_silent, pay_again
from world import Document, World, problem


@pytest.fixture
def paid(world: World) -> World:
    """An order of 40 hours for 4,800.00 yuan, paid by wallet (3,000.00) and card (1,800.00)."""
    return world.ready()


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return sqlite_world.ready()


def quote(world: World, by: str = "guardian_app") -> Document:
    path = f"/v1/orders/{world.ids['order']}/refund-quote"
    return dict(world.ok(world.parties[by].get(path)))


def lines(document: Document) -> dict[str, int]:
    """The working without the rules behind it and the line that says that it is fixed."""
    skipped = ("rule", "fixed")
    return {entry["line"]: entry["amount_fen"] for entry in document["working"] if entry["line"] not in skipped}


def parts(document: Document) -> dict[str, tuple[int, str]]:
    return {part["channel"]: (part["amount_fen"], part["state"]) for part in document["parts"]}


def test_before_the_start_everything_goes_back(paid: World) -> None:
    """Quote, request, approval, execution by channel: 4,800.00 yuan, and the order is closed."""
    assert lines(quote(paid)) == {"paid": 480_000, "before_start": 0, "refund": 480_000}
    asked = paid.ok(ask(paid), 201)
    assert (asked["state"], asked["amount_fen"], asked["parts"]) == ("requested", 480_000, [])
    assert paid.order()["state"] == "refunding"
    approved = paid.ok(approve(paid, asked))
    assert approved["state"] == "paying"
    assert parts(approved) == {"wechat": (300_000, "issued"), "bank_card": (180_000, "issued")}
    assert balanced(paid)["pending_refund"] == 480_000
    paid.execute_all()
    done = refund(paid, asked["id"])
    assert (done["state"], parts(done)) == (
        "paid",
        {"wechat": (300_000, "executed"), "bank_card": (180_000, "executed")},
    )
    assert balanced(paid)["refunded"] == 480_000
    assert paid.order()["state"] == "closed"
    payment = paid.ok(paid.vendor.get(f"/v1/payments/{paid.ids['payment']}"))
    assert [part["refunded_fen"] for part in payment["parts"]] == [300_000, 180_000]
    assert event_types(paid, asked["id"]) == ["refund.requested", "refund.agreed", "refund.paid"]


def test_what_was_taught_stays_and_what_is_undecided_waits(paid: World) -> None:
    """Two lessons confirmed, one reported: 408 000 go back, 24 000 are held back until somebody decides."""
    first, second, third = paid.report(1, 2, 3)
    paid.confirm(first)
    paid.confirm(second)
    expected = {"paid": 480_000, "consumed": -48_000, "in_flight": -24_000, "refund": 408_000}
    assert lines(quote(paid)) == expected
    assert lines(quote(paid, "vendor")) == expected
    done = agreed(paid)
    assert lines(done) == expected
    paid.execute_all()
    assert refund(paid, done["id"])["state"] == "paid"
    found = balanced(paid)
    assert (found["released"], found["refunded"], found["escrow"]) == (48_000, 408_000, 24_000)
    assert paid.order()["state"] == "refunding", "an undecided lesson keeps the order open"
    paid.confirm(third)
    paid.execute_all()
    assert balanced(paid)["released"] == 72_000
    assert paid.order()["state"] == "closed"


def test_an_undecided_lesson_that_was_not_taught_goes_back_too(paid: World) -> None:
    """The family disputes, the authority upholds: the held share is refunded through the channels as well."""
    (record,) = paid.report(1)
    done = agreed(paid)
    assert done["amount_fen"] == 456_000
    paid.execute_all()
    resolve(paid, dispute(paid, record), "uphold_parent")
    extended = refund(paid, done["id"])
    assert (extended["state"], extended["amount_fen"]) == ("paying", 480_000)
    assert lines(extended)["in_flight_returned"] == 24_000
    paid.execute_all()
    assert refund(paid, done["id"])["state"] == "paid"
    assert balanced(paid)["refunded"] == 480_000
    assert paid.order()["state"] == "closed"
    by_part = {n: sum(p["amount_fen"] for p in extended["parts"] if p["part_no"] == n) for n in (1, 2)}
    assert by_part == {1: 300_000, 2: 180_000}


def test_a_dispute_that_the_institution_wins_is_released(paid: World) -> None:
    """The held share goes to the institution; nobody gets a fen twice."""
    (record,) = paid.report(1)
    agreed(paid)
    paid.execute_all()
    resolve(paid, dispute(paid, record), "uphold_institution")
    paid.execute_all()
    found = balanced(paid)
    assert (found["released"], found["refunded"], found["escrow"]) == (24_000, 456_000, 0)
    assert paid.order()["state"] == "closed"


def test_a_lesson_confirmed_before_the_approval_is_not_refunded(paid: World) -> None:
    """The sum is worked out again at the moment of agreement, over the hours confirmed by then."""
    (record,) = paid.report(1)
    asked = paid.ok(ask(paid))
    assert asked["amount_fen"] == 456_000
    resolve(paid, dispute(paid, record), "uphold_parent")
    assert paid.ok(approve(paid, refund(paid, asked["id"])))["amount_fen"] == 480_000


def adds_up(document: Document) -> bool:
    """Every line but the sums makes the sum."""
    shown = sum(entry["amount_fen"] for entry in document["working"] if entry["line"] != "refund")
    return bool(shown == document["amount_fen"])


def test_the_working_is_fixed_at_the_request_and_grows_by_lines(paid: World) -> None:
    """One lesson is reported since, one that was in flight is void: both are lines of their own, none before changes."""
    (record,) = paid.report(1)
    asked = paid.ok(ask(paid))
    assert adds_up(asked)
    assert "fixed" in [entry["line"] for entry in asked["working"]]
    paid.report(2, 3)
    resolve(paid, dispute(paid, record), "uphold_parent")
    done = paid.ok(approve(paid, refund(paid, asked["id"])))
    assert done["working"][: len(asked["working"])] == asked["working"]
    assert [(entry["line"], entry["amount_fen"]) for entry in done["working"][len(asked["working"]) :]] == [
        ("hours_since", -24_000), ("refund", 432_000),
    ]  # fmt: skip
    assert adds_up(done)


def test_whatever_changes_the_working_adds_up() -> None:
    """Also where more was consumed than paid: a line says so, and nothing goes back."""
    facts = {"refunded": 0, "escrow": 100, "confirmed_centi": 200, "reported_centi": 200, "hours_centi": 400}
    before, first = work_out(Account(paid=100, earned_confirmed=50, earned_with_reported=50, **facts))
    after, now = work_out(Account(paid=100, earned_confirmed=150, earned_with_reported=150, **facts))
    fixed = [line.to_json() for line in first]
    added = since(fixed, now, after)
    assert (before, after) == (50, 0)
    assert sum(line.amount_fen for line in now if line.line != "refund") == 0
    assert sum(entry["amount_fen"] for entry in fixed if entry["line"] != "refund") == 50
    assert [(line.line, line.amount_fen) for line in added] == [
        ("hours_since", -100), ("beyond_paid_since", 50), ("refund", 0),
    ]  # fmt: skip


def test_an_order_that_was_never_paid_whole_takes_no_lesson(world: World) -> None:
    """Not before a refund is asked for and not after: nothing could have been taught on it."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    payment = {
        "external_id": "p", "order_id": world.ids["order"], "payer": {"guardian_id": world.ids["guardian"]},
        "parts": [
            {"channel": "wechat", "amount_fen": 12_000, "payer_reference": "w"},
            {"channel": "bank_card", "amount_fen": 468_000, "payer_reference": "b"},
        ],
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    take(world, world.receipt_document(1, 12_000))
    done = world.ok(ask(world))
    assert (done["state"], done["amount_fen"], adds_up(done)) == ("paying", 12_000, True)
    batch = {"items": [world.record_document(1)]}
    (result,) = world.ok(world.vendor.post("/v1/consumption-records/batch", batch))["results"]
    assert result["problem"]["code"] == "consumption.order_not_payable"


def test_a_second_request_changes_nothing(paid: World) -> None:
    """While one runs: 409 with its id. After it is paid: nothing is left. The same request again: the same refund."""
    sent = {
        "external_id": "rfd-1", "order_id": paid.ids["order"], "reason": "illness", "asked_by": "guardian",
        "requested_at": paid.now.isoformat(),
    }  # fmt: skip
    first = paid.ok(paid.guardian_app.post("/v1/refunds", sent), 201)
    assert paid.ok(paid.guardian_app.post("/v1/refunds", sent), 200)["id"] == first["id"]
    refused = problem(in_contract(ask(paid), "requestRefund"), 409, "refund.in_progress")
    assert refused["violations"][0]["given"] == first["id"]
    problem(in_contract(ask(paid, by="vendor"), "requestRefund"), 409, "refund.in_progress")
    changed = {**sent, "reason": "move"}
    problem(in_contract(paid.guardian_app.post("/v1/refunds", changed), "requestRefund"), 409, "resource.exists")
    paid.ok(approve(paid, first))
    paid.execute_all()
    problem(in_contract(ask(paid), "requestRefund"), 409, "refund.nothing_left")
    assert paid.count("refunds") == 1
    assert balanced(paid)["refunded"] == 480_000


def test_whoever_asks_does_not_also_answer(paid: World) -> None:
    """The parent terminal may ask for refunds; it neither agrees to them nor objects. A rival finds nothing."""
    asked = paid.ok(ask(paid))
    path = f"/v1/refunds/{asked['id']}"
    problem(in_contract(approve(paid, asked, by="guardian_app"), "approveRefund"), 403, "auth.scope")
    problem(in_contract(object_to(paid, asked, by="guardian_app"), "objectToRefund"), 403, "auth.scope")
    problem(approve(paid, asked, by="rival"), 404, "resource.not_found")
    problem(paid.rival.get(path), 404, "resource.not_found")
    assert instructions(paid) == []
    assert refund(paid, asked["id"])["state"] == "requested"


def test_who_sees_a_refund(paid: World) -> None:
    """Institution, parent terminal and authority read and list it, with its version."""
    asked = paid.ok(ask(paid))
    for name in ("vendor", "guardian_app", "authority"):
        party = paid.parties[name]
        assert paid.ok(party.get(f"/v1/refunds/{asked['id']}"))["id"] == asked["id"]
        assert [item["id"] for item in paid.ok(party.get("/v1/refunds", state="requested"))["items"]] == [asked["id"]]
        assert paid.ok(party.get("/v1/refunds", order_id=paid.ids["order"], state="paid"))["items"] == []
    etag = f'"{asked["version"]}"'
    assert paid.vendor.get(f"/v1/refunds/{asked['id']}", headers={"If-None-Match": etag}).status_code == 304


def test_an_approval_is_of_what_was_read(paid: World) -> None:
    """A stale version is refused; a second approval finds the state changed and instructs nobody twice."""
    asked = paid.ok(ask(paid))
    problem(in_contract(approve(paid, {**asked, "version": 9}), "approveRefund"), 412, "concurrency.stale")
    done = paid.ok(approve(paid, asked))
    problem(in_contract(approve(paid, done), "approveRefund"), 409, "resource.state")
    assert len(instructions(paid)) == 2
    assert balanced(paid)["pending_refund"] == 480_000


def test_an_objection_with_a_reason_stops_silence(paid: World) -> None:
    """Scenario 35: the sum stays in escrow, silence agrees to nothing any more; the institution may still agree."""
    asked = paid.ok(ask(paid))
    paid.shift(days=1)
    objected = paid.ok(object_to(paid, asked))
    assert (objected["state"], objected["objection"]["reason"]) == ("objected", "课时有异议")
    problem(object_to(paid, objected), 409, "resource.state")
    paid.shift(days=30)
    assert sweep(paid, agree_silent) == 0
    assert balanced(paid)["escrow"] == 480_000
    assert paid.ok(approve(paid, objected))["state"] == "paying"


def test_before_any_lesson_was_due_the_money_goes_back_at_once(world: World) -> None:
    """M-QA.6: nothing can have been taught, so nobody is waited for: asked, and the bank is told in the same breath."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(ordered_at=world.now.isoformat())
    assert lines(quote(world)) == {"paid": 480_000, "before_start": 0, "refund": 480_000, "at_once": 0}
    asked = world.ok(ask(world), 201)
    assert (asked["state"], asked["agreed_by"], asked["amount_fen"]) == ("paying", "entitlement", 480_000)
    assert "at_once" in lines(asked)
    problem(object_to(world, asked), 409, "resource.state")
    problem(ask(world), 409, "refund.in_progress")
    world.execute_all()
    assert refund(world, asked["id"])["state"] == "paid"
    assert balanced(world)["refunded"] == 480_000
    assert event_types(world, asked["id"]) == ["refund.requested", "refund.agreed", "refund.paid"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"requested_at": (1, 9)}, "/requested_at"), ({"requested_at": (-11, 9)}, "/requested_at")],
    ids=["tomorrow", "before the purchase"],
)
def test_a_request_has_its_time(lite: World, changes: dict[str, Any], pointer: str) -> None:
    """Nobody asks tomorrow, nor before there was an order."""
    answer = ask(lite, requested_at=lite.at(*changes["requested_at"]))
    problem(in_contract(answer, "requestRefund"), 422, "schema.invalid", pointer)
    assert lite.count("refunds") == 0


def test_a_refund_names_an_order_of_the_caller(lite: World) -> None:
    """An unknown order, or another institution's, is pointed at in the document."""
    answer = ask(lite, order_id="ord_" + "0" * 26)
    problem(in_contract(answer, "requestRefund"), 422, "reference.not_found", "/order_id")
    problem(ask(lite, by="rival"), 422, "reference.not_found", "/order_id")
    missing = "/v1/orders/ord_" + "0" * 26 + "/refund-quote"
    problem(in_contract(lite.vendor.get(missing), "quoteRefund"), 404, "resource.not_found")


def test_an_unpaid_order_has_nothing_to_refund(sqlite_world: World) -> None:
    """It is cancelled instead; its quote is nothing."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    world.buy(paid=False)
    problem(in_contract(ask(world), "requestRefund"), 409, "resource.state")
    assert quote(world)["amount_fen"] == 0


def test_an_order_that_is_used_up_has_nothing_left(lite: World) -> None:
    """All hours taught: 409, and the order is not opened again."""
    lite.ids.pop("order")
    lite.open_family()
    price = {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 48_000}], "total_fen": 48_000}
    lite.buy(class_hours_centi=400, **price)
    for record in lite.report(1, 2):
        lite.confirm(record)
    problem(in_contract(ask(lite), "requestRefund"), 409, "refund.nothing_left")
    assert lite.order()["state"] == "paid"
    lite.execute_all()
    assert lite.order()["state"] == "closed"
    problem(ask(lite), 409, "refund.nothing_left")


def test_money_of_an_order_that_was_never_paid_whole_goes_back(world: World) -> None:
    """One part arrived, the other never came: what arrived is refunded, what may still come stays out."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    payment = {
        "external_id": "p", "order_id": world.ids["order"], "payer": {"guardian_id": world.ids["guardian"]},
        "parts": [
            {"channel": "wechat", "amount_fen": 300_000, "payer_reference": "w"},
            {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "b"},
        ],
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    take(world, world.receipt_document(1, 300_000))
    done = agreed(world)
    assert parts(done) == {"wechat": (300_000, "issued")}
    assert take(world, world.receipt_document(2, 180_000)) == [("unmatched", "unlinked")]
    world.execute_all()
    found = balanced(world)
    assert (found["paid"], found["refunded"], found["escrow"]) == (300_000, 300_000, 0)
    assert world.order()["state"] == "closed"


def test_a_failed_part_is_visible_and_paid_again_a_day_later(paid: World) -> None:
    """The card fails, the wallet is paid: failed, with the part named; a new instruction of the same sum pays it."""
    done = agreed(paid)
    card = next(part for part in done["parts"] if part["channel"] == "bank_card")
    paid.ok(fail(paid, card["instruction_id"]))
    paid.execute_all()
    failed = refund(paid, done["id"])
    assert (failed["state"], parts(failed)) == (
        "failed", {"wechat": (300_000, "executed"), "bank_card": (180_000, "failed")},
    )  # fmt: skip
    assert balanced(paid)["pending_refund"] == 180_000
    assert paid.order()["state"] == "refunding"
    problem(ask(paid), 409, "refund.in_progress")
    assert sweep(paid, pay_again) == 0
    take(paid, *(line(paid, item) for item in instructions(paid, state="executed")))
    surely_failed(paid)
    assert balanced(paid)["escrow"] == 180_000
    assert sweep(paid, pay_again) == 1
    assert sweep(paid, pay_again) == 0
    again = refund(paid, done["id"])
    assert (again["state"], parts(again)["bank_card"]) == ("paying", (180_000, "issued"))
    assert len(again["parts"]) == 2, "the failed instruction is replaced, not repeated"
    paid.execute_all()
    assert refund(paid, done["id"])["state"] == "paid"
    assert balanced(paid)["refunded"] == 480_000
    assert paid.order()["state"] == "closed"
    assert event_types(paid, done["id"])[-3:] == ["refund.failed", "refund.paid_again", "refund.paid"]


def test_the_institution_has_a_failed_part_paid_again_before_the_sweep(paid: World) -> None:
    """Approving a refund that failed for certain instructs the bank anew; a second approval of that version does not."""
    done = agreed(paid)
    for part in done["parts"]:
        paid.ok(fail(paid, part["instruction_id"]))
    surely_failed(paid)
    failed = refund(paid, done["id"])
    again = paid.ok(approve(paid, failed))
    assert (again["state"], sorted(parts(again).values())) == ("paying", [(180_000, "issued"), (300_000, "issued")])
    problem(approve(paid, failed), 412, "concurrency.stale")
    assert len(instructions(paid, state="issued")) == 2
    assert balanced(paid)["pending_refund"] == 480_000


def test_a_part_that_was_paid_after_all_is_never_paid_again(paid: World) -> None:
    """Late success after failure: the bank's line says that the card was paid; nobody instructs it a second time."""
    done = agreed(paid)
    card = next(item for item in instructions(paid) if item["channel"] == "bank_card")
    paid.ok(fail(paid, card["id"]))
    assert take(paid, line(paid, card)) == [("unmatched", "late_success")]
    paid.shift(days=2)
    assert sweep(paid, pay_again) == 0
    answer = approve(paid, refund(paid, done["id"]))
    problem(in_contract(answer, "approveRefund"), 409, "instruction.end_uncertain")
    problem(execute(paid, card["id"]), 409, "instruction.resolved")
    assert [item["channel"] for item in instructions(paid, state="issued")] == ["wechat"]
    assert refund(paid, done["id"])["state"] == "failed"


def test_a_lesson_voided_while_a_part_has_failed(paid: World) -> None:
    """The held share is added, the failed part is not counted twice, and both are paid in the end."""
    (record,) = paid.report(1)
    done = agreed(paid)
    card = next(part for part in done["parts"] if part["channel"] == "bank_card")
    paid.ok(fail(paid, card["instruction_id"]))
    paid.execute_all()
    resolve(paid, dispute(paid, record), "uphold_parent")
    extended = refund(paid, done["id"])
    assert (extended["state"], extended["amount_fen"]) == ("failed", 480_000)
    paid.execute_all()
    surely_failed(paid)
    assert sweep(paid, pay_again) == 1
    paid.execute_all()
    assert balanced(paid)["refunded"] == 480_000
    assert (refund(paid, done["id"])["state"], paid.order()["state"]) == ("paid", "closed")


def test_executions_in_any_order(paid: World) -> None:
    """A release under way when the refund is agreed: refund first, release last, each posted once."""
    paid.confirm(*paid.report(1))
    done = agreed(paid)
    assert done["amount_fen"] == 456_000
    for item in reversed(instructions(paid)):
        paid.ok(execute(paid, item["id"]))
        balanced(paid)
    found = balanced(paid)
    assert (found["released"], found["refunded"], found["escrow"]) == (24_000, 456_000, 0)
    assert paid.order()["state"] == "closed"


def test_a_release_that_fails_after_the_refund_is_released_again(paid: World) -> None:
    """What was earned stays the institution's, though the bank needed two attempts; then the order closes."""
    paid.confirm(*paid.report(1))
    (release,) = instructions(paid)
    agreed(paid)
    paid.ok(fail(paid, release["id"]))
    paid.execute_all()
    assert paid.order()["state"] == "refunding"
    surely_failed(paid)
    assert sweep(paid, release_waiting) == 1
    paid.execute_all()
    assert balanced(paid)["released"] == 24_000
    assert paid.order()["state"] == "closed"


def test_after_the_request_nothing_new_is_consumed(paid: World) -> None:
    """A lesson that ended before the request may still be reported; one after it may not."""
    paid.ok(ask(paid, requested_at=paid.lesson_at(4, 12)))
    paid.report(3)
    late = {"items": [paid.record_document(5)]}
    (result,) = paid.ok(paid.vendor.post("/v1/consumption-records/batch", late))["results"]
    assert result["problem"]["code"] == "consumption.order_not_payable"


def test_gift_hours_as_the_contract_says(sqlite_world: World) -> None:
    """Ten gift hours beside forty: shared pro rata, ten hours taught earn a fifth of the price."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(gift_hours_centi=1000)
    for record in world.report(1, 2, 3, 4, 5):
        world.confirm(record)
    assert lines(quote(world)) == {"paid": 480_000, "consumed": -96_000, "refund": 384_000}


def test_paid_hours_first_earn_the_price_over_paid_hours(sqlite_world: World) -> None:
    """The same with paid hours used first: ten hours earn a quarter, and gift hours earn nothing more."""
    world = contracted(sqlite_world, gift_hours_policy="paid_first")
    world.buy(gift_hours_centi=1000)
    for record in world.report(1, 2, 3, 4, 5):
        world.confirm(record)
    assert lines(quote(world)) == {"paid": 480_000, "consumed": -120_000, "refund": 360_000}


def contracted(world: World, **terms: Any) -> World:
    """Up to an account, with a contract on other terms."""
    world.open_class()
    world.open_family()
    world.open_account()
    contract = {
        "external_id": "ctr-terms", "institution_id": world.ids["institution"], "pupil_id": world.ids["pupil"],
        "guardian_id": world.ids["guardian"], "course_id": world.ids["course"], "template": "GF-2021-2604",
        "number": "9", "signed_on": world.day(-10), "gift_hours_policy": "pro_rata",
        "document_digest": "sha-256:" + "0" * 64, "supervision": "custody", **terms,
    }  # fmt: skip
    world.ids["contract"] = world.ok(world.vendor.post("/v1/contracts", contract), 201)["id"]
    return world


def test_the_contracts_own_days_give_everything_back(sqlite_world: World) -> None:
    """Fifteen days from the start on day -9: everything, though a lesson was taught; what was released is owed."""
    world = contracted(sqlite_world, full_refund_window_days=15)
    world.buy()
    world.confirm(*world.report(1))
    world.execute_all()
    assert lines(quote(world)) == {
        "paid": 480_000, "contract_window": 0, "refund": 480_000, "sources": 0,
    }  # fmt: skip
    world.shift(days=7)
    assert lines(quote(world)) == {"paid": 480_000, "consumed": -24_000, "refund": 456_000}


def test_what_a_bank_failed_to_refund_is_never_released(paid: World) -> None:
    """Found by the simulator: a lesson confirmed between a failed refund and its second try took the family's money."""
    asked = agreed(paid)
    issued = next(item for item in instructions(paid, state="issued") if item["refund_id"] == asked["id"])
    paid.ok(fail(paid, issued["id"]))
    surely_failed(paid)
    paid.confirm(*paid.report(1))
    assert balanced(paid)["pending_release"] == 0
    paid.ok(approve(paid, refund(paid, asked["id"])))
    assert balanced(paid)["pending_refund"] == 480_000
