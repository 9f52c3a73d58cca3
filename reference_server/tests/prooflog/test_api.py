"""The log over HTTP: what anybody may read, and the proofs that each party gets of what is its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from life import log_all, sign
from money import execute, instructions
from offcampus_sdk.proofs import agree, digest, verify_consistency, verify_head, verify_instruction, verify_proofs
from offcampus_sdk.witness import Witness
from world import ISSUER, Document, World, problem


class Public:
    """What the SDK's client asks of a platform, over the test's connection."""

    def __init__(self, world: World) -> None:
        self.world = world

    def log_checkpoint(self) -> Document:
        return dict(self.world.ok(self.world.http.get("/v1/log/checkpoint")))

    def log_consistency(self, first: int, second: int) -> Document:
        return dict(self.world.ok(self.world.http.get(f"/v1/log/consistency?first={first}&second={second}")))

    def order_proofs(self, order_id: str, limit: int = 500) -> Iterator[Document]:
        after, more = 0, True
        while more:
            page = self.world.ok(
                self.world.guardian_app.get(f"/v1/orders/{order_id}/log-proofs", after=after, limit=limit)
            )
            yield page
            more, after = page["more"], after + len(page["entries"])


def keys(world: World) -> list[Any]:
    return list(world.ok(world.http.get("/.well-known/jwks.json"))["keys"])


@pytest.fixture
def lived(sqlite_world: World) -> World:
    return live(sqlite_world)


@pytest.fixture(scope="module")
def shared(shared_world: World) -> World:
    """The same for tests that change nothing."""
    return live(shared_world)


def live(world: World) -> World:
    """A paid order, a lesson confirmed, all of it logged and signed."""
    world.ready()
    world.confirm(world.report(1)[0])
    log_all(world)
    sign(world)
    return world


def test_no_head_no_checkpoint(sqlite_world: World) -> None:
    """Before the first head there is nothing to read, and an order's facts all wait."""
    world = sqlite_world.ready()
    log_all(world)
    problem(world.http.get("/v1/log/checkpoint"), 404, "resource.not_found")
    body = world.ok(world.vendor.get(f"/v1/orders/{world.ids['order']}/log-proofs"))
    assert (body["head"], body["entries"]) == (None, [])
    types = [waiting["type"] for waiting in body["waiting"]]
    assert sorted(types) == ["transfer.created"] * 2 + ["transfer.resolved"] * 2


def test_getLogCheckpoint_is_signed_and_getLogConsistency_binds_the_next_one(world: World) -> None:
    """A witness keeps a checkpoint; the next one contains it; every pair of sizes is proven, none beyond the head."""
    lived = live(world)
    first = lived.ok(lived.http.get("/v1/log/checkpoint"))["head"]
    verify_head(first, keys(lived), ISSUER)
    lived.report(2)
    log_all(lived)
    assert lived.ok(lived.http.get("/v1/log/checkpoint"))["head"] == first, "what is not signed is not shown"
    sign(lived)
    second = lived.ok(lived.http.get("/v1/log/checkpoint"))["head"]
    proof = Public(lived).log_consistency(first["size"], second["size"])
    roots = digest(first["root_hash"]), digest(second["root_hash"])
    verify_consistency(first["size"], second["size"], [digest(text) for text in proof["path"]], *roots)
    for query in ("first=0&second=1", "first=3&second=2", f"first=1&second={second['size'] + 1}", "first=1"):
        problem(lived.http.get(f"/v1/log/consistency?{query}"), 400, "request.query")


def test_getLogLeafHashes_gives_a_witness_the_whole_tree(shared: World) -> None:
    """All leaf hashes, page by page, make the root that was signed; there are none beyond the head."""
    from offcampus_server.prooflog.checkpoints import root_of

    head = shared.ok(shared.http.get("/v1/log/checkpoint"))["head"]
    found: list[str] = []
    while page := shared.ok(shared.http.get(f"/v1/log/leaf-hashes?start={len(found)}&limit=7"))["hashes"]:
        found += page
    assert len(found) == head["size"]
    assert root_of(tuple(found)) == head["root_hash"]


def test_getOrderProofs_proves_an_order_to_those_whom_it_concerns(world: World) -> None:
    """Institution, parent terminal and authorities verify every line of the statement, offline."""
    lived = live(world)
    order = lived.ids["order"]
    for party in ("vendor", "guardian_app", "authority", "province"):
        body = lived.ok(lived.parties[party].get(f"/v1/orders/{order}/log-proofs"))
        statement = lived.ok(lived.parties[party].get(f"/v1/orders/{order}/statement"))
        leaves = verify_proofs(body, keys(lived), ISSUER)
        assert (agree(statement, leaves), body["waiting"], body["more"]) == ([], [], False)
        assert {leaf["row"]["id"] for leaf in leaves} == {line["id"] for line in statement["lines"]}


def test_order_proofs_are_denied_to_others(shared: World) -> None:
    """Another institution's system and a bank learn nothing of an order."""
    path = f"/v1/orders/{shared.ids['order']}/log-proofs"
    problem(shared.rival.get(path), 404, "resource.not_found")
    problem(shared.bank.get(path), 403, "auth.scope")


def test_order_proofs_come_in_pages(lived: World, tmp_path: Path) -> None:
    """A witness proves the order page by page; what came after the head waits, and is named."""
    lived.ok(execute(lived, instructions(lived)[0]["id"]))
    public = Public(lived)
    witness = Witness(public, tmp_path / "head.json", ISSUER, keys(lived))
    [page] = public.order_proofs(lived.ids["order"])
    assert [waiting["type"] for waiting in page["waiting"]] == ["transfer.resolved"]
    log_all(lived)
    sign(lived)
    pages = list(public.order_proofs(lived.ids["order"], limit=2))
    assert [len(page["entries"]) for page in pages] == [2, 2, 2]
    assert len(witness.prove_order(lived.ids["order"])) == 6


def test_getInstructionProofs_proves_an_instruction_to_its_bank(lived: World) -> None:
    """The bank sees what was held for its instruction and what became of it, and nothing else."""
    id = instructions(lived)[0]["id"]
    path = f"/v1/custody-instructions/{id}/log-proofs"
    body = lived.ok(lived.bank.get(f"/v1/custody-instructions/{id}/log-proofs"))
    assert [leaf["type"] for leaf in verify_instruction(body, keys(lived), ISSUER)] == ["transfer.created"]
    lived.ok(execute(lived, id))
    assert [waiting["type"] for waiting in lived.ok(lived.bank.get(path))["waiting"]] == ["transfer.resolved"]
    log_all(lived)
    sign(lived)
    leaves = verify_instruction(lived.ok(lived.bank.get(path)), keys(lived), ISSUER)
    assert [leaf["type"] for leaf in leaves] == ["transfer.created", "transfer.resolved"]
    assert leaves[1]["row"]["state"] == "posted"
    problem(lived.rival.get(path), 403, "auth.scope")


def test_paths_made_by_the_server_hold_at_every_size(shared: World) -> None:
    """What the server makes and what the SDK checks were written apart; they agree at every index and size."""
    from offcampus_sdk.proofs import verify_inclusion
    from offcampus_server.prooflog import nodes, tree

    with shared.platform.storage.reading() as work:
        connection = work.connection
        size = int(connection.exec_driver_sql("SELECT count(*) FROM log_entries").scalar_one())
        tops = [nodes.computed(connection, lambda lookup, n=n: tree.root(n, lookup)) for n in range(1, size + 1)]  # type: ignore[misc]
        chance = random.Random(6962)
        for second in range(1, size + 1):
            index, first = chance.randrange(second), chance.randint(1, second)
            path = nodes.computed(connection, lambda look, i=index, n=second: tree.inclusion_path(i, n, look))  # type: ignore[misc]
            leaf = nodes.read(connection, [(0, index)])[0, index]
            verify_inclusion(index, second, leaf, path, tops[second - 1])
            path = nodes.computed(connection, lambda look, m=first, n=second: tree.consistency_path(m, n, look))  # type: ignore[misc]
            verify_consistency(first, second, path, tops[first - 1], tops[second - 1])
