"""Four processes act at the same instant on the same money, round after round: one effect, and the sums stand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from money import agreed, ask, balanced, instructions, line, refund
from world import Document, World

RACERS = 4
Job = dict[str, Any]


class Racers:
    """Processes of their own, each with its own connections, that start at one moment."""

    def __init__(self, world: World) -> None:
        clients = json.dumps({name: party.client_id for name, party in world.parties.items()})
        script = Path(__file__).with_name("racer.py")
        command = [sys.executable, str(script), str(world.folder), clients]
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(RACERS)
        ]
        for process in self.processes:
            self.hear(process)

    def hear(self, process: subprocess.Popen[str]) -> Any:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, f"a racer ended with {process.wait()}"
        return json.loads(said)

    def race(self, *jobs: Job) -> list[tuple[int, Document]]:
        """Let each process do one job at the same moment; status and body in the order of the jobs."""
        at = time.time() + 0.03
        for process, job in zip(self.processes, jobs, strict=True):
            assert process.stdin is not None
            process.stdin.write(json.dumps({**job, "at": at}) + "\n")
            process.stdin.flush()
        answers = [self.hear(process) for process in self.processes]
        return [(answer["status"], answer["body"]) for answer in answers]

    def stop(self) -> None:
        for process in self.processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait(timeout=10)
            process.stdout.close()


@pytest.fixture
def field(world: World) -> World:
    """Up to an account; each round sells an order of its own."""
    world.open_class()
    world.open_family()
    world.open_account()
    return world


@pytest.fixture
def racers(field: World) -> Iterator[Racers]:
    made = Racers(field)
    yield made
    made.stop()


def fresh_order(world: World) -> str:
    world.open_family()
    return world.buy()


def job(who: str, path: str, body: Document, **how: Any) -> Job:
    return {"who": who, "path": path, "body": body, "how": how}


def codes(answers: list[tuple[int, Document]]) -> Counter[str]:
    return Counter(body.get("code", str(status)) for status, body in answers)


def request(world: World, **changes: Any) -> Document:
    return {
        "external_id": world.fresh("rfd"), "order_id": world.ids["order"], "reason": "guardian_choice",
        "requested_at": world.now.isoformat(), "asked_by": "guardian", **changes,
    }  # fmt: skip


def four_requests(world: World, racers: Racers) -> None:
    """The family asks three times and the institution once: one refund, three times in progress."""
    fresh_order(world)
    who = ("guardian_app", "guardian_app", "guardian_app", "vendor")
    answers = racers.race(*(job(name, "/v1/refunds", request(world)) for name in who))
    assert codes(answers) == {"201": 1, "refund.in_progress": 3}
    assert len(world.ok(world.vendor.get("/v1/refunds", order_id=world.ids["order"]))["items"]) == 1


def one_key_four_times(world: World, racers: Racers) -> None:
    """The same request under the same key: one refund; whoever did not wait is told to."""
    fresh_order(world)
    same, key = request(world), world.fresh("key-0000")
    answers = racers.race(*[job("guardian_app", "/v1/refunds", same, key=key)] * RACERS)
    assert set(codes(answers)) <= {"201", "idempotency.in_progress"}
    assert len({body["id"] for status, body in answers if status == 201}) == 1


def four_approvals(world: World, racers: Racers) -> None:
    """The same version approved four times: the bank is asked once per channel."""
    fresh_order(world)
    asked = world.ok(ask(world))
    path = f"/v1/refunds/{asked['id']}/approval"
    answers = racers.race(*[job("vendor", path, {}, if_match=asked["version"])] * RACERS)
    assert codes(answers) == {"200": 1, "concurrency.stale": 3}
    mine = [item for item in instructions(world, state="issued") if item["refund_id"] == asked["id"]]
    assert sum(item["amount_fen"] for item in mine) == 480_000


def four_executions(world: World, racers: Racers) -> None:
    """Two say the same reference, one another, one that it failed: exactly one truth is kept."""
    fresh_order(world)
    agreed(world)
    asked = next(item for item in instructions(world, state="issued") if item["order_id"] == world.ids["order"])
    path = f"/v1/custody-instructions/{asked['id']}"
    done = {"executed_at": world.now.isoformat()}
    answers = racers.race(
        job("bank", f"{path}/execution", {**done, "bank_reference": "X1"}),
        job("bank", f"{path}/execution", {**done, "bank_reference": "X1"}),
        job("bank", f"{path}/execution", {**done, "bank_reference": "X2"}),
        job("bank", f"{path}/failure", {"code": "account_closed", "text": "x"}),
    )
    won = {(body["state"], body["bank_reference"]) for status, body in answers if status == 200}
    assert len(won) == 1
    assert set(codes(answers)) == {"200", "instruction.resolved"}


def four_receipts(world: World, racers: Racers) -> None:
    """The bank reports one receipt four times, twice under another id: it is booked once."""
    world.open_family()
    world.buy(paid=False)
    payment = {
        "external_id": world.fresh("pay"), "order_id": world.ids["order"],
        "parts": [{"channel": "wechat", "amount_fen": 480_000, "payer_reference": "w"}],
        "payer": {"guardian_id": world.ids["guardian"]},
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    same = world.receipt_document(1, 480_000)
    others = [{**same, "external_id": world.fresh("line")} for _ in range(2)]
    path = "/v1/custody-movements/batch"
    answers = racers.race(*(job("bank", path, {"items": [line]}) for line in (same, same, *others)))
    assert codes(answers) == {"207": 4}
    assert balanced(world)["paid"] == 480_000


def refund_and_lessons(world: World, racers: Racers) -> None:
    """A request, an approval of nothing yet, and two confirmations at once: whatever wins, every fen is in one place."""
    fresh_order(world)
    first, second = world.report(1, 2)
    confirm = "/v1/consumption-records/{}/confirmation"
    lessons = [job("guardian_app", confirm.format(record), {}, if_match=1) for record in (first, second)]
    asks = [job("guardian_app", "/v1/refunds", request(world)), job("vendor", "/v1/refunds", request(world))]
    answers = racers.race(*lessons, *asks)
    assert [status for status, _ in answers[:2]] == [200, 200]
    assert codes(answers[2:]) == {"201": 1, "refund.in_progress": 1}
    found = balanced(world)
    assert found["pending_release"] == 48_000
    (kept,) = world.ok(world.vendor.get("/v1/refunds", order_id=world.ids["order"]))["items"]
    path = f"/v1/refunds/{kept['id']}/approval"
    assert world.ok(world.vendor.post(path, {}, if_match=kept["version"]))["amount_fen"] == 432_000


def line_and_failure(world: World, racers: Racers) -> None:
    """The bank's line and its report of failure at once: a failure that stands leaves a difference, never both."""
    fresh_order(world)
    world.confirm(*world.report(1))
    asked = next(item for item in instructions(world, state="issued") if item["order_id"] == world.ids["order"])
    path = f"/v1/custody-instructions/{asked['id']}/failure"
    failure = job("bank", path, {"code": "account_closed", "text": "x"})
    moved = job("bank", "/v1/custody-movements/batch", {"items": [line(world, asked)]})
    again = job("bank", "/v1/custody-movements/batch", {"items": [line(world, asked)]})
    answers = racers.race(failure, moved, again, failure)
    state = world.ok(world.bank.get(f"/v1/custody-instructions/{asked['id']}"))["state"]
    reported = [body["results"][0]["id"] for _, body in answers[1:3]]
    listed = world.ok(world.bank.get("/v1/custody-movements", limit=200, account_id=world.ids["account"]))["items"]
    matched = [item["id"] for item in listed if item["id"] in reported and item["state"] == "matched"]
    assert (state, len(matched)) in {("failed", 0), ("issued", 1)}


ROUNDS: list[tuple[Callable[[World, Racers], None], int]] = [
    (four_requests, 20), (one_key_four_times, 5), (four_approvals, 8), (four_executions, 8), (four_receipts, 5),
    (refund_and_lessons, 8), (line_and_failure, 8),
]  # fmt: skip


def test_money_moves_once_whoever_is_first(field: World, racers: Racers) -> None:
    """Each kind of race, round after round on one database; in the end the whole ledger agrees with itself."""
    for run, rounds in ROUNDS:
        for _ in range(rounds):
            run(field, racers)
    balanced(field)
    assert field.count("refunds") == 20 + 5 + 8 + 8 + 8
    for item in field.ok(field.vendor.get("/v1/refunds", limit=200))["items"]:
        assert refund(field, item["id"])["order_id"] == item["order_id"]
