"""What the tests of the money side do alike: a bank that reports, a family that leaves, and sums that must balance."""

from __future__ import annotations

import json
from typing import Any

from offcampus_server.funds.verification import verify
from offcampus_spec.operations import operations
from sqlalchemy import text
from world import Document, World

SUMS = ("paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen", "pending_refund_fen")


def sums(world: World, order_id: str | None = None) -> dict[str, int]:
    """The money of an order as it is answered, without the unit in the names."""
    body = world.ok(world.vendor.get(f"/v1/orders/{order_id or world.ids['order']}"))
    return {name.removesuffix("_fen"): body[name] for name in SUMS}


def balanced(world: World, order_id: str | None = None) -> dict[str, int]:
    """The sums, after checking that they balance and that the whole ledger agrees with itself."""
    found = sums(world, order_id)
    assert min(found.values()) >= 0, found
    assert found["paid"] == sum(found.values()) - found["paid"], found
    with world.platform.storage.reading() as work:
        assert verify(work) == []
    return found


def instructions(world: World, **query: Any) -> list[Document]:
    """The bank's instructions, oldest first."""
    return list(world.ok(world.bank.get("/v1/custody-instructions", limit=200, **query))["items"])


def accept(world: World, id: str) -> Any:
    return world.bank.post(f"/v1/custody-instructions/{id}/acceptance", {})


def execute(world: World, id: str, reference: str | None = None, **changes: Any) -> Any:
    """The bank reports that it moved the money."""
    body = {"bank_reference": reference or f"X{id[-10:]}", "executed_at": world.now.isoformat(), **changes}
    return world.bank.post(f"/v1/custody-instructions/{id}/execution", body)


def fail(world: World, id: str, code: str = "account_closed") -> Any:
    """The bank reports that it did not and will not move the money."""
    return world.bank.post(f"/v1/custody-instructions/{id}/failure", {"code": code, "text": "账户已销户"})


def line(world: World, instruction: Document, **changes: Any) -> Document:
    """The bank's own line for an instruction."""
    return {
        "external_id": world.fresh("line"), "account_id": instruction["account_id"], "kind": instruction["kind"],
        "direction": "debit", "amount_fen": instruction["amount_fen"], "booked_at": world.now.isoformat(),
        "value_on": world.day(0), "bank_reference": world.fresh("B"), "instruction_id": instruction["id"],
        "balance_after_fen": 0, **changes,
    }  # fmt: skip


def report_lines(world: World, *lines: Document) -> list[Document]:
    """Report lines; the results in their order."""
    return list(world.ok(world.bank.post("/v1/custody-movements/batch", {"items": list(lines)}))["results"])


def movement(world: World, id: str) -> Document:
    """A reported movement as the bank reads it."""
    found = {item["id"]: item for item in world.ok(world.bank.get("/v1/custody-movements", limit=200))["items"]}
    return dict(found[id])


def take(world: World, *lines: Document) -> list[tuple[str, str | None]]:
    """Report lines that are all taken; their states and types of difference."""
    results = report_lines(world, *lines)
    assert [result["outcome"] for result in results] == ["accepted"] * len(lines), results
    return [(found["state"], found["break_type"]) for found in (movement(world, r["id"]) for r in results)]


def ask(world: World, *, by: str = "guardian_app", **changes: Any) -> Any:
    """Ask for a refund of the order."""
    body = {
        "external_id": world.fresh("rfd"), "order_id": world.ids["order"], "reason": "guardian_choice",
        "requested_at": world.now.isoformat(), "asked_by": "guardian", **changes,
    }  # fmt: skip
    return world.parties[by].post("/v1/refunds", body)


def approve(world: World, refund: Document, *, by: str = "vendor") -> Any:
    return world.parties[by].post(f"/v1/refunds/{refund['id']}/approval", {}, if_match=refund["version"])


def object_to(world: World, refund: Document, *, by: str = "vendor", **changes: Any) -> Any:
    """The institution objects."""
    body = {"ground": "other", "reason": "课时有异议", **changes}
    return world.parties[by].post(f"/v1/refunds/{refund['id']}/objection", body, if_match=refund["version"])


def rule_on(world: World, refund: Document, ruling: str, *, by: str = "authority") -> Any:
    """The authority rules on a refund."""
    body = {"ruling": ruling, "text": "已核查"}
    return world.parties[by].post(f"/v1/refunds/{refund['id']}/ruling", body, if_match=refund["version"])


def close_day(world: World, offset: int = 0, missing: int = 0) -> Document:
    """The bank closes a day: everything that it has reported of the account, and a balance that agrees.

    Args:
        missing: so much has left the account that is on no line.
    """
    day, account_id = world.day(offset), world.ids["account"]
    rows = run(
        world,
        "SELECT document, direction, amount_fen, value_on FROM custody_movements WHERE account_id = :a ORDER BY id",
        a=account_id,
    )
    signed = [(str(row.value_on)[:10], row.amount_fen * (1 if row.direction == "credit" else -1)) for row in rows]
    opening = sum(fen for on, fen in signed if on < day)
    lines = [row.document if isinstance(row.document, dict) else json.loads(row.document) for row in rows]
    body = {
        "opening_balance_fen": opening,
        "closing_balance_fen": opening + sum(fen for on, fen in signed if on == day) - missing,
        "lines": [entry for entry in lines if entry["value_on"] == day],
    }
    return dict(world.ok(world.bank.write("PUT", f"/v1/statements/{account_id}/{day}", body)))


def surely_failed(world: World) -> None:
    """A night passes: the bank closes the day on which it reported a failure."""
    world.shift(days=1)
    close_day(world, offset=-1)


def agreed(world: World, **changes: Any) -> Document:
    """A refund that was asked for and agreed to, by the institution where anybody has to."""
    asked = world.ok(ask(world, **changes))
    return dict(world.ok(approve(world, asked)) if asked["state"] == "requested" else asked)


def refund(world: World, id: str) -> Document:
    return dict(world.ok(world.vendor.get(f"/v1/refunds/{id}")))


def dispute(world: World, record_id: str) -> Document:
    body = {"reason": "not_taught", "text": "当日未上课"}
    path = f"/v1/consumption-records/{record_id}/dispute"
    return dict(world.ok(world.guardian_app.post(path, body, if_match=1)))


def resolve(world: World, record: Document, ruling: str) -> Document:
    path = f"/v1/consumption-records/{record['id']}/dispute-resolution"
    body = {"ruling": ruling, "text": "已核查"}
    return dict(world.ok(world.authority.post(path, body, if_match=record["version"])))


def sweep(world: World, sweep: Any) -> int:
    """One round of a worker's sweep."""
    return int(world.platform.storage.write(lambda work: sweep(work, 200)))


def open_family(world: World) -> None:
    """Another pupil with guardian and contract; without an identity number, of which a day has only so many."""
    body = {
        "external_id": world.fresh("pup"), "institution_id": world.ids["institution"], "name": "甄小试",
        "id_type": "none", "born_on": "2016-05-01", "grade": "primary_4",
        "guardians": [{"external_id": "g", "name": "甄试", "relation": "mother", "phone": "13900000007"}],
        "consent": {"given": True, "given_on": world.day(-12), "text_version": "1"},
    }  # fmt: skip
    pupil = world.ok(world.vendor.post("/v1/pupils", body), 201)
    world.ids |= {"pupil": pupil["id"], "guardian": pupil["guardians"][0]["id"]}
    contract = {
        "external_id": world.fresh("ctr"), "institution_id": world.ids["institution"], "pupil_id": pupil["id"],
        "guardian_id": world.ids["guardian"], "course_id": world.ids["course"], "template": "GF-2021-2604",
        "number": "1", "signed_on": world.day(-10), "gift_hours_policy": "pro_rata",
        "document_digest": "sha-256:" + "0" * 64, "supervision": "custody",
    }  # fmt: skip
    world.ids["contract"] = world.ok(world.vendor.post("/v1/contracts", contract), 201)["id"]


ORDER = {"document_number": "京校培冻〔2026〕7号", "reason": "机构失联", "officer": "OFF-1"}


def account(world: World) -> Document:
    return dict(world.ok(world.bank.get(f"/v1/custody-accounts/{world.ids['account']}")))


def freeze(world: World) -> Document:
    """The authority freezes the account."""
    path = f"/v1/custody-accounts/{world.ids['account']}/freeze"
    return dict(world.ok(world.authority.post(path, ORDER, if_match=account(world)["version"])))


def unfreeze(world: World) -> None:
    """The authority unfreezes the account, and the bank carries it out."""
    path = f"/v1/custody-accounts/{world.ids['account']}/unfreeze"
    world.ok(world.authority.post(path, ORDER, if_match=account(world)["version"]))
    (asked,) = (item for item in instructions(world, state="issued") if item["kind"] == "unfreeze")
    world.ok(execute(world, asked["id"]))


def moving(world: World, **query: Any) -> list[Document]:
    """The instructions that move money."""
    return [item for item in instructions(world, **query) if item["order_id"] is not None]


def differences(world: World, **query: Any) -> list[Document]:
    """The work list as the authority sees it."""
    return list(world.ok(world.authority.get("/v1/differences", limit=200, **query))["items"])


def settle(world: World, step: str, difference: Document, body: Document, by: str = "authority") -> Any:
    """A step of the authority on a difference."""
    path = f"/v1/differences/{difference['id']}/{step}"
    return world.parties[by].post(path, body, if_match=difference["version"])


def run(world: World, statement: str, **values: Any) -> list[Any]:
    """A statement on the database itself: what no operation can do."""

    def use(work: Any) -> list[Any]:
        result = work.connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []

    return list(world.platform.storage.write(use))


def event_types(world: World, subject: str) -> list[str]:
    """What was told of a subject, in order."""
    rows = run(world, "SELECT type FROM events WHERE subject = :subject ORDER BY seq", subject=subject)
    return [row.type.removeprefix("cn.offcampus.").removesuffix(".v1") for row in rows]


def in_contract(answer: Any, operation_id: str) -> Any:
    """The answer's problem is one that the contract of the operation lists."""
    assert answer.json["code"] in operations()[operation_id].problems, answer.json["code"]
    return answer
