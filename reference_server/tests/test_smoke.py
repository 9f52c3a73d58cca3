"""The world of the tests itself: a day from end to end, and the ledger replayed."""

from __future__ import annotations

from offcampus_server.ledger import service as ledger
from world import World


def test_a_day(world: World) -> None:
    """Buy, teach, confirm, release, refund: the sums balance."""
    world.ready()
    first, _ = world.report(1, 2)
    assert world.confirm(first).status_code == 200
    world.execute_all()
    request = {"external_id": "rfd", "order_id": world.ids["order"], "reason": "guardian_choice",
               "requested_at": world.now.isoformat(), "asked_by": "guardian"}  # fmt: skip
    refund = world.ok(world.guardian_app.post("/v1/refunds", request))
    world.ok(world.vendor.post(f"/v1/refunds/{refund['id']}/approval", {}, if_match=refund["version"]))
    world.execute_all()
    order = world.order()
    assert (order["paid_fen"], order["released_fen"], order["refunded_fen"]) == (480_000, 24_000, 432_000)
    assert order["escrow_fen"] == 24_000, "the lesson that nobody has confirmed yet is held back"
    with world.platform.storage.reading() as work:
        assert ledger.verify(work) == []
