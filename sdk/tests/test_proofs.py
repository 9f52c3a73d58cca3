"""Log proofs: what holds is taken, and whatever else a server may say is not.

No proof here was made by code that is under test: they come from the recursive definitions in
`spec/vectors/log-proofs/make.py`, which shares no line with the SDK. T13 of the test plan.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import random
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from offcampus_sdk.proofs import ProofError, leaf_hash, verify_consistency, verify_head, verify_inclusion
from offcampus_spec.schemas import data_root

VECTORS = data_root() / "vectors/log-proofs"
Case = dict[str, Any]
FORGERIES, EXPORTS = 10_000, 1_000


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, VECTORS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEFINITION, BY_HAND = load("make"), load("verify_by_hand")
LEAVES = [number.to_bytes(2, "big") for number in range(64)]


@cache
def root(size: int) -> bytes:
    found: bytes = DEFINITION.tree_hash(LEAVES[:size])
    return found


def cases(name: str) -> list[Case]:
    found: list[Case] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    return found


def holds(case: Case) -> bool:
    """What the SDK says of a case."""
    path = [bytes.fromhex(text) for text in case["path"]]
    try:
        if "index" in case:
            leaf, top = bytes.fromhex(case["leaf_hash"]), bytes.fromhex(case["root_hash"])
            verify_inclusion(case["index"], case["size"], leaf, path, top)
        else:
            roots = (bytes.fromhex(case["first_root"]), bytes.fromhex(case["second_root"]))
            verify_consistency(case["first"], case["second"], path, *roots)
    except ProofError:
        return False
    return True


@pytest.mark.parametrize("name", ["inclusion", "consistency"])
def test_the_vectors_of_the_standard(name: str) -> None:
    """Each published proof is judged as it says, those of a forger among them."""
    found = cases(name)
    assert [case["name"] for case in found if holds(case) != case["holds"]] == []
    assert {case["holds"] for case in found} == {True, False}
    assert len(found) >= 98, "fewer than the lists that others publish"


@pytest.mark.parametrize("case", cases("leaves"), ids=lambda case: case["name"])
def test_a_leaf_s_hash(case: Case) -> None:
    """RFC 8785 and the standard library's sorted form are the same for what a leaf holds."""
    assert leaf_hash(case["leaf"]).hex() == case["leaf_hash"]


@pytest.mark.parametrize("case", cases("heads"), ids=lambda case: case["name"])
def test_a_head_s_signature(case: Case) -> None:
    """What OpenSSL signed holds; whatever was changed, and whatever a head may not say though it is signed, does not."""
    keys = json.loads((VECTORS / "heads.json").read_text(encoding="utf-8"))["keys"]
    if case["holds"]:
        verify_head(case["head"], keys)
        return
    with pytest.raises(ProofError):
        verify_head(case["head"], keys)


@pytest.mark.parametrize("name", ["inclusion", "consistency", "leaves"])
def test_the_vectors_are_what_the_definition_gives(name: str) -> None:
    """Nobody mends a vector by hand."""
    committed = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    assert committed == DEFINITION.files()[f"{name}.json"]


@pytest.mark.long
def test_vectors_of_another_implementation() -> None:
    """The files of transparency-dev/merkle's `testdata/inclusion` and `testdata/consistency`, when a folder holds them.

    One of them takes roots of twelve bytes for a proof between equal sizes; a hash has 32 here, so we refuse it.
    """
    folder = os.environ.get("OFC_FOREIGN_LOG_VECTORS")
    if folder is None:
        pytest.skip("name a copy of the folder in OFC_FOREIGN_LOG_VECTORS")
    files = [path for kind in ("inclusion", "consistency") for path in (Path(folder) / kind).rglob("*.json")]
    wrong = [path.name for path in files if holds(foreign(path)) == json.loads(path.read_text())["wantErr"]]
    assert (len(files), wrong) == (196, ["sizes-are-equal-one-and-proof-is-empty.json"])


def foreign(path: Path) -> Case:
    given = json.loads(path.read_text(encoding="utf-8"))
    names = {
        "leafIdx": "index", "treeSize": "size", "leafHash": "leaf_hash", "root": "root_hash", "size1": "first",
        "size2": "second", "root1": "first_root", "root2": "second_root",
    }  # fmt: skip
    case = {names[name]: value for name, value in given.items() if name in names}
    for name in ("leaf_hash", "root_hash", "first_root", "second_root"):
        case[name] = b64decode(case.get(name) or "").hex()
    return {**case, "path": [b64decode(text).hex() for text in given["proof"] or []]}


def test_every_pair_up_to_64() -> None:
    """Each tree of up to 64 leaves begins with each smaller one, and with no other (2,080 pairs)."""
    for second in range(1, 65):
        for first in range(1, second + 1):
            path = fast_proof(first, second)
            assert second > 24 or path == DEFINITION.proof(first, LEAVES[:second])
            verify_consistency(first, second, path, root(first), root(second))
            with pytest.raises(ProofError):
                verify_consistency(first, second, path, root(first % 64 + 1), root(second))


def fast_proof(first: int, second: int) -> list[bytes]:
    """PROOF over remembered subtrees: the definition's own recursion with `MTH` looked up."""
    found: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        half = start + DEFINITION.split(end - start)
        if first <= half:
            found, end = [subtree(half, end), *found], half
        else:
            found, start, whole = [subtree(start, half), *found], half, False
    return found if whole else [subtree(start, end), *found]


@cache
def subtree(start: int, end: int) -> bytes:
    found: bytes = DEFINITION.tree_hash(LEAVES[start:end])
    return found


def test_every_leaf_of_every_tree_up_to_64() -> None:
    """Each leaf is in each tree that holds it, at its own place alone."""
    for size in range(1, 65):
        for index in range(size):
            path = fast_path(index, size)
            leaf = subtree(index, index + 1)
            verify_inclusion(index, size, leaf, path, root(size))
            if size > 1:
                with pytest.raises(ProofError):
                    verify_inclusion((index + 1) % size, size, leaf, path, root(size))


def fast_path(index: int, size: int) -> list[bytes]:
    found: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        half = start + DEFINITION.split(end - start)
        if index < half:
            found, end = [subtree(half, end), *found], half
        else:
            found, start = [subtree(start, half), *found], half
    return found


def forgeries(count: int) -> Iterator[Case]:
    """Lawful proofs with one bit changed somewhere: in a hash of the path, the leaf, a root, or a number."""
    chance = random.Random(9162)
    while count:
        count -= 1
        second = chance.randint(2, 64)
        if chance.random() < 0.5:
            index = chance.randrange(second)
            case: Case = {
                "index": index, "size": second, "leaf_hash": subtree(index, index + 1).hex(),
                "root_hash": root(second).hex(), "path": [one.hex() for one in fast_path(index, second)],
            }  # fmt: skip
        else:
            first = chance.randint(1, second)
            case = {
                "first": first, "second": second, "first_root": root(first).hex(), "second_root": root(second).hex(),
                "path": [one.hex() for one in fast_proof(first, second)],
            }  # fmt: skip
        assert holds(case)
        yield spoiled(case, chance)


def spoiled(case: Case, chance: random.Random) -> Case:
    places: list[Any] = [name for name, value in case.items() if isinstance(value, str)]
    places += [("path", number) for number in range(len(case["path"]))] + (["index"] if "index" in case else [])
    place = chance.choice(places)
    if place == "index":
        return {**case, "index": case["index"] ^ 1 << chance.randrange(7)}
    if isinstance(place, tuple):
        path = list(case["path"])
        path[place[1]] = flipped(path[place[1]], chance)
        return {**case, "path": path}
    return {**case, place: flipped(case[place], chance)}


def flipped(text: str, chance: random.Random) -> str:
    return (int(text, 16) ^ 1 << chance.randrange(256)).to_bytes(32, "big").hex()


def test_one_changed_bit_is_seen() -> None:
    """None of 10,000 forgeries is taken."""
    assert [case for case in forgeries(FORGERIES) if holds(case)] == []


@pytest.mark.parametrize("size", [0, -1, True, 1.0, "1", None, 2**53])
def test_a_size_is_a_positive_whole_number(size: Any) -> None:
    """What JSON may hold instead of a number of leaves is refused before any hash is computed."""
    with pytest.raises(ProofError, match="a tree has 1 to"):
        verify_inclusion(0, size, root(1), [], root(1))
    with pytest.raises(ProofError, match="a tree has 1 to"):
        verify_consistency(1, size, [], root(1), root(1))


@pytest.mark.parametrize("length", [0, 1, 20, 31, 33, 64])
def test_a_hash_has_32_bytes(length: int) -> None:
    """Another length is refused wherever it stands."""
    odd = b"\0" * length
    for arguments in ((odd, [], root(1)), (root(1), [], odd), (root(1), [odd], root(1))):
        with pytest.raises(ProofError, match="a hash has 32 bytes"):
            verify_inclusion(0, 1, *arguments)
    for path, roots in (([], (odd, root(1))), ([], (root(1), odd)), ([odd], (root(1), root(2)))):
        with pytest.raises(ProofError, match="a hash has 32 bytes"):
            verify_consistency(1, 2, path, *roots)


def test_a_path_is_as_long_as_the_tree_is_deep() -> None:
    """A hash too many or too few is told as what it is."""
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(0, 1, root(1), [root(2)], root(1))
    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(0, 2, root(1), [], root(2))
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(1, 2, [root(1), root(2)], root(1), root(2))
    with pytest.raises(ProofError, match="too short"):
        verify_consistency(1, 4, [root(1)], root(1), root(4))


def log_of(chance: random.Random) -> tuple[Case, Case, Case]:
    """An export of a random log: proofs, a consistency proof, the older head; now and then with a fault."""
    size = chance.randint(1, 40)
    texts = [{"v": 1, "type": "transfer.created", "row": {"no": n, "who": '张三\u2028"\\\u0007'}} for n in range(size)]
    entries = [json.dumps(t, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for t in texts]
    chosen = chance.sample(range(size), min(3, size))
    head = {"size": size, "root_hash": DEFINITION.tree_hash(entries).hex()}
    shown = [{"index": i, "leaf": texts[i], "path": [one.hex() for one in DEFINITION.path(i, entries)]} for i in chosen]
    first = chance.randint(1, size)
    consistency = {"first": first, "second": size, "path": [one.hex() for one in DEFINITION.proof(first, entries)]}
    older = {"size": first, "root_hash": DEFINITION.tree_hash(entries[:first]).hex()}
    fault = chance.randrange(8)
    if fault == 0:
        shown[0]["leaf"] = {**shown[0]["leaf"], "row": {"no": -1}}
    elif fault == 1:
        shown[0]["path"] = shown[0]["path"][1:] if shown[0]["path"] else ["00" * 32]
    elif fault == 2:
        older["root_hash"] = flipped(older["root_hash"], chance)
    elif fault == 3:
        consistency["path"] = [*consistency["path"], "00" * 32]
    return {"head": head, "entries": shown}, consistency, older


def verdicts(proofs: Case, consistency: Case, older: Case) -> tuple[bool, bool]:
    """What the script of thirty lines says, and what the SDK says."""
    from offcampus_sdk.proofs import digest, verify_entry

    try:
        BY_HAND.check(proofs, consistency, older)
        by_hand = True
    except ValueError:
        by_hand = False
    try:
        for entry in proofs["entries"]:
            verify_entry(entry, proofs["head"])
        path = [digest(text) for text in consistency["path"]]
        roots = digest(older["root_hash"]), digest(proofs["head"]["root_hash"])
        verify_consistency(consistency["first"], consistency["second"], path, *roots)
        return by_hand, True
    except ProofError:
        return by_hand, False


def test_the_script_by_hand_says_the_same() -> None:
    """T19: a second implementation, standard library only, judges exports of 1,000 random logs alike."""
    chance = random.Random(19)
    found = [verdicts(*log_of(chance)) for _ in range(EXPORTS)]
    assert {by_hand == sdk for by_hand, sdk in found} == {True}
    assert set(itertools.chain.from_iterable(found)) == {True, False}
