"""A witness against servers that lie: 200 scripts, each honest for a while and then not. T13 of the test plan."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from offcampus_sdk.proofs import HEAD_TYPE, ProofError, verify_instruction, verify_proofs
from offcampus_sdk.witness import TwoHistories, Witness
from test_proofs import DEFINITION

ORIGIN, ORDER = "https://platform.example", "ord_01m01nsaw0e5hbt45jqsn74mqw"
Document = dict[str, Any]
EACH = 10


class Server:
    """A platform with one history; a liar is the same with more tricks."""

    def __init__(self, key: OKPKey, facts: int) -> None:
        self.key = key
        self.leaves: list[Document] = []
        for number in range(1, facts + 1):
            chain = {"subject": ORDER, "no": number}
            if self.leaves:
                chain["previous"] = DEFINITION.tree_hash([rfc8785.dumps(self.leaves[-1])]).hex()
            row = {"id": f"trf_{number}", "amount_fen": 100 * number, "kind": "receipt"}
            self.leaves.append({"v": 1, "type": "transfer.created", "row": row, "chain": chain})

    def entries(self) -> list[bytes]:
        return [rfc8785.dumps(leaf) for leaf in self.leaves]

    def head(self, size: int | None = None) -> Document:
        entries = self.entries()[:size]
        return self.signed({
            "type": HEAD_TYPE, "origin": ORIGIN, "size": len(entries), "hash_id": "sha-256",
            "root_hash": DEFINITION.tree_hash(entries).hex(), "signed_at": "2026-11-25T22:54:55+08:00",
            "key_id": str(self.key.thumbprint()),
        })  # fmt: skip

    def signed(self, head: Document) -> Document:
        plain = {name: value for name, value in head.items() if name != "signature"}
        private: Any = self.key.private_key
        assert isinstance(private, Ed25519PrivateKey)
        return {**plain, "signature": base64.urlsafe_b64encode(private.sign(rfc8785.dumps(plain))).decode().rstrip("=")}

    def log_checkpoint(self) -> Document:
        return {"head": self.head()}

    def log_consistency(self, first: int, second: int) -> Document:
        path = DEFINITION.proof(first, self.entries()[:second])
        return {"first": first, "second": second, "path": [one.hex() for one in path]}

    def order_proofs(self, order_id: str, page: int = 500) -> Iterator[Document]:
        for start in range(0, len(self.leaves), page):
            chosen = range(start, min(start + page, len(self.leaves)))
            shown = [
                {"index": i, "leaf": self.leaves[i], "path": [h.hex() for h in DEFINITION.path(i, self.entries())]}
                for i in chosen
            ]
            more = chosen.stop < len(self.leaves)
            yield {"subject": order_id, "head": self.head(), "entries": shown, "waiting": [], "more": more}


class Liar(Server):
    """Answers what it is told to."""

    checkpoint: Document | None = None
    consistency: Document | None = None
    proofs: Document | None = None

    def log_checkpoint(self) -> Document:
        return self.checkpoint if self.checkpoint is not None else super().log_checkpoint()

    def log_consistency(self, first: int, second: int) -> Document:
        return self.consistency if self.consistency is not None else super().log_consistency(first, second)

    def order_proofs(self, order_id: str, page: int = 500) -> Iterator[Document]:
        yield from [self.proofs] if self.proofs is not None else super().order_proofs(order_id, page)


def other_history(server: Liar, chance: random.Random, kept: int) -> Liar:
    """The same length or more, with another fact somewhere before what was seen."""
    other = Liar(server.key, 0)
    other.leaves = copy.deepcopy(server.leaves)
    other.leaves[chance.randrange(kept)]["row"]["amount_fen"] += 1
    return other


def grow(server: Server, chance: random.Random) -> None:
    more = Server(server.key, len(server.leaves) + chance.randint(1, 9))
    server.leaves += more.leaves[len(server.leaves) :]


def shows_another_history(server: Liar, chance: random.Random, kept: int) -> None:
    server.leaves = other_history(server, chance, kept).leaves


def shows_another_of_the_same_size(server: Liar, chance: random.Random, kept: int) -> None:
    server.leaves = other_history(server, chance, kept).leaves[:kept]


def proves_another_with_the_honest_path(server: Liar, chance: random.Random, kept: int) -> None:
    server.checkpoint = {"head": other_history(server, chance, kept).head()}


def shows_an_older_one_of_another_history(server: Liar, chance: random.Random, kept: int) -> None:
    size = chance.randint(1, kept)
    server.checkpoint = {"head": other_history(server, chance, size).head(size)}


def changes_head(**members: Any) -> Callable[[Liar, random.Random, int], None]:
    """Signs whatever it is given."""

    def lie(server: Liar, chance: random.Random, kept: int) -> None:
        server.checkpoint = {"head": server.signed({**server.head(), **members})}

    return lie


def changes_unsigned(**members: Any) -> Callable[[Liar, random.Random, int], None]:
    """Changes a head after it was signed."""

    def lie(server: Liar, chance: random.Random, kept: int) -> None:
        server.checkpoint = {"head": {**server.head(), **members}}

    return lie


def changes_path(change: Callable[[list[str], random.Random], list[str]]) -> Callable[[Liar, random.Random, int], None]:
    def lie(server: Liar, chance: random.Random, kept: int) -> None:
        honest = server.log_consistency(kept, len(server.leaves))
        server.consistency = {**honest, "path": change(honest["path"], chance)}

    return lie


def proves_between_other_sizes(server: Liar, chance: random.Random, kept: int) -> None:
    server.consistency = Server.log_consistency(server, kept, kept)


def signs_with_another_key(server: Liar, chance: random.Random, kept: int) -> None:
    server.key = OKPKey.generate_key("Ed25519", private=True)


def names_the_right_key_and_signs_with_another(server: Liar, chance: random.Random, kept: int) -> None:
    honest = server.head()
    server.key = OKPKey.generate_key("Ed25519", private=True)
    server.checkpoint = {"head": server.signed(honest)}


def leaves_a_fact_out(server: Liar, chance: random.Random, kept: int) -> None:
    [page] = Server.order_proofs(server, ORDER)
    page["entries"].pop(chance.randrange(len(page["entries"]) - 1))
    server.proofs = page


def shows_a_fact_of_another_order(server: Liar, chance: random.Random, kept: int) -> None:
    [page] = Server.order_proofs(server, ORDER)
    server.proofs = {**page, "subject": "ord_01m01nsaw0e5hbt45jqsn74mqx"}


def edits_a_fact(server: Liar, chance: random.Random, kept: int) -> None:
    [page] = copy.deepcopy(list(Server.order_proofs(server, ORDER)))
    chance.choice(page["entries"])["leaf"]["row"]["amount_fen"] += 1
    server.proofs = page


def proves_under_another_history(server: Liar, chance: random.Random, kept: int) -> None:
    [server.proofs] = Server.order_proofs(other_history(server, chance, kept), ORDER)


LIES: list[Callable[[Liar, random.Random, int], None]] = [
    shows_another_history, shows_another_of_the_same_size, proves_another_with_the_honest_path,
    shows_an_older_one_of_another_history, proves_between_other_sizes, signs_with_another_key,
    names_the_right_key_and_signs_with_another,
    changes_head(size=0), changes_head(root_hash="00" * 20), changes_head(origin="https://other.example"),
    changes_head(hash_id="md5"), changes_head(type="offcampus.log-head.v0"),
    changes_unsigned(signed_at="2030-01-01T00:00:00+08:00"),
    changes_path(lambda path, chance: []), changes_path(lambda path, chance: path[:-1]),
    changes_path(lambda path, chance: [*path, path[-1]]),
    leaves_a_fact_out, shows_a_fact_of_another_order, edits_a_fact, proves_under_another_history,
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(LIES)))
def test_a_lying_server_is_refused(number: int, tmp_path: Path) -> None:
    """Ten scripts for each of twenty lies: after some honest answers the lie is refused and what was kept stays."""
    for seed in range(EACH):
        chance = random.Random(f"{number}/{seed}")
        server = Liar(OKPKey.generate_key("Ed25519", private=True), chance.randint(3, 12))
        file = tmp_path / f"{seed}.json"
        witness = Witness(server, file, ORIGIN, [dict(server.key.as_dict(private=False))])
        for _ in range(chance.randint(1, 3)):
            honest = witness.observe()
            grow(server, chance)
        before, kept = file.read_bytes(), honest["size"]
        assert kept < len(server.leaves)
        LIES[number](server, chance, kept)
        asked = witness.observe if server.proofs is None else lambda: witness.prove_order(ORDER)  # noqa: B023
        with pytest.raises(ProofError):
            asked()
        assert file.read_bytes() == before


def test_there_are_two_hundred_scripts() -> None:
    """As many as the plan asks for."""
    assert len(LIES) * EACH == 200


def test_an_honest_server_is_followed(tmp_path: Path) -> None:
    """The head that is kept grows with the log; an older one of the same history changes nothing; orders are proven."""
    chance = random.Random(1)
    server = Liar(OKPKey.generate_key("Ed25519", private=True), 5)
    witness = Witness(server, tmp_path / "head.json", ORIGIN, [dict(server.key.as_dict(private=False))])
    for _ in range(6):
        assert witness.observe()["size"] == len(server.leaves)
        grow(server, chance)
    server.checkpoint = {"head": server.head(3)}
    assert witness.observe()["size"] > 3
    assert witness.prove_order(ORDER) == server.leaves
    assert witness.kept() == server.head()


def test_two_histories_come_with_the_evidence(tmp_path: Path) -> None:
    """Whoever is lied to holds two heads under one signature."""
    server = Liar(OKPKey.generate_key("Ed25519", private=True), 5)
    witness = Witness(server, tmp_path / "head.json", ORIGIN, [dict(server.key.as_dict(private=False))])
    kept = witness.observe()
    shows_another_of_the_same_size(server, random.Random(2), 5)
    with pytest.raises(TwoHistories, match="two histories") as caught:
        witness.observe()
    assert (caught.value.kept, caught.value.shown) == (kept, server.head())


def test_pages_go_on_from_the_last_proven_fact(tmp_path: Path) -> None:
    """A second page that does not follow the first is refused."""
    server = Server(OKPKey.generate_key("Ed25519", private=True), 6)
    keys = [dict(server.key.as_dict(private=False))]
    one, two, three = server.order_proofs(ORDER, page=2)
    last = verify_proofs(one, keys, ORIGIN)[-1]
    assert verify_proofs(two, keys, ORIGIN, after=last) == server.leaves[2:4]
    for wrong in (three, one):
        with pytest.raises(ProofError, match="not the one that follows"):
            verify_proofs(wrong, keys, ORIGIN, after=last)


def test_a_fact_that_follows_another_history_is_refused() -> None:
    """Two facts are logged under one number; the one that is shown does not point at the one before it."""
    server = Server(OKPKey.generate_key("Ed25519", private=True), 4)
    server.leaves[2] = {**server.leaves[2], "chain": {**server.leaves[2]["chain"], "previous": "00" * 32}}
    [page] = server.order_proofs(ORDER)
    with pytest.raises(ProofError, match="fact 3 is not the one that follows"):
        verify_proofs(page, [dict(server.key.as_dict(private=False))], ORIGIN)


def test_an_instruction_is_proven_by_its_own_transfer_alone() -> None:
    """The creation names the instruction, the end names that transfer; any other leaf is refused."""
    server = Server(OKPKey.generate_key("Ed25519", private=True), 0)
    keys = [dict(server.key.as_dict(private=False))]
    made = {"v": 1, "type": "transfer.created", "row": {"id": "trf_1", "instruction_id": "cin_1"}}
    ended = {"v": 1, "type": "transfer.resolved", "row": {"id": "trf_1", "state": "posted"}}
    foreign = {"v": 1, "type": "transfer.resolved", "row": {"id": "trf_2", "state": "posted"}}
    line = {"v": 1, "type": "audit.written", "row": {"id": "trf_1"}}
    for leaves, holds in (
        ([made, ended], True),
        ([made], True),
        ([made, foreign], False),
        ([ended], False),
        ([line], False),
    ):
        server.leaves = [*leaves]
        [page] = server.order_proofs("cin_1")
        if holds:
            assert verify_instruction(page, keys, ORIGIN) == leaves
        else:
            with pytest.raises(ProofError, match="speaks of something else"):
                verify_instruction(page, keys, ORIGIN)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"head": {}}', '{"head": {"size": 1}}'])
def test_a_spoiled_file_is_never_begun_anew(tmp_path: Path, content: str) -> None:
    """Forgetting a history is a person's decision."""
    server = Server(OKPKey.generate_key("Ed25519", private=True), 3)
    file = tmp_path / "head.json"
    file.write_text(content)
    with pytest.raises(ProofError):
        Witness(server, file, ORIGIN, [dict(server.key.as_dict(private=False))]).observe()
    assert file.read_text() == content


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A family checks its file offline: 0 when all holds, 1 with the reason when not."""
    from offcampus_sdk.proofs import main

    server = Server(OKPKey.generate_key("Ed25519", private=True), 4)
    [page] = server.order_proofs(ORDER)
    lines = [{**leaf["row"], "state": "posted"} for leaf in server.leaves]
    for name, document in {
        "proofs": page, "keys": {"keys": [dict(server.key.as_dict(private=False))]},
        "statement": {"lines": lines}, "cut": {"lines": lines[:-1]},
    }.items():  # fmt: skip
        (tmp_path / name).write_text(json.dumps(document))
    command = [str(tmp_path / "proofs"), "--keys", str(tmp_path / "keys")]
    assert main([*command, "--statement", str(tmp_path / "statement")]) == 0
    assert "4 facts" in capsys.readouterr().out
    assert main([*command, "--statement", str(tmp_path / "cut")]) == 1
    assert "differs: trf_4 is in the log and not in the statement" in capsys.readouterr().out
    page["entries"][0]["leaf"]["row"]["amount_fen"] = 7
    (tmp_path / "proofs").write_text(json.dumps(page))
    assert main(command) == 1
    assert "does not hold" in capsys.readouterr().out
