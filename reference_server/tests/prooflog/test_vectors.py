"""What the server logs and signs has the form of the standard's vectors, which were made elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.prooflog import heads, leaves, tree
from offcampus_server.prooflog.checkpoints import root_of
from offcampus_spec.schemas import data_root


def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_root() / f"vectors/log-proofs/{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("case", vectors("leaves")["cases"], ids=lambda case: case["name"])
def test_a_leaf_is_hashed_as_the_standard_says(case: dict[str, Any]) -> None:
    assert leaves.hashed(case["leaf"]).hex() == case["leaf_hash"]


def test_the_roots_that_others_publish() -> None:
    """Eight leaves, eight roots, as every implementation of Certificate Transparency has them."""
    known = vectors("inclusion")
    hashes = [tree.leaf_hash(bytes.fromhex(text)).hex() for text in known["leaves"]]
    for entry in known["known_roots"]:
        assert root_of(tuple(hashes[: entry["size"]])) == entry["root_hash"]
        stored = {(0, index): bytes.fromhex(text) for index, text in enumerate(hashes)}
        for index in range(len(hashes)):
            above = tree.completed(index, stored[0, index], stored.__getitem__)
            stored |= {(level, index >> level): node for level, node in enumerate(above, 1)}
        assert tree.root(entry["size"], stored.__getitem__).hex() == entry["root_hash"]


@pytest.mark.parametrize("name", ["inclusion", "consistency"])
def test_the_server_makes_the_paths_of_the_standard(name: str) -> None:
    """Every lawful proof of the vectors, hash by hash."""
    known = vectors(name)
    stored: dict[tuple[int, int], bytes] = {}
    for index, text in enumerate(known["leaves"]):
        leaf = tree.leaf_hash(bytes.fromhex(text))
        nodes = [leaf, *tree.completed(index, leaf, stored.__getitem__)]
        stored |= {(level, index >> level): node for level, node in enumerate(nodes)}
    lawful = [case for case in known["cases"] if case["holds"]]
    assert len(lawful) >= 7
    for case in lawful:
        made = (
            tree.inclusion_path(case["index"], case["size"], stored.__getitem__) if name == "inclusion"
            else tree.consistency_path(case["first"], case["second"], stored.__getitem__)
        )  # fmt: skip
        assert [one.hex() for one in made] == case["path"], case["name"]


@pytest.mark.parametrize(
    "case",
    [case for case in vectors("heads")["cases"] if case["holds"] or case["name"].startswith("changed")],
    ids=lambda case: case["name"],
)
def test_a_head_holds_as_the_standard_says(case: dict[str, Any]) -> None:
    """A stored head is a row: members that are none of its columns, and another offset of the same instant, are not kept."""
    keys = Keyring(tuple(OKPKey.import_key(key) for key in vectors("heads")["keys"]))
    row = {**case["head"], "signed_at": parse(case["head"]["signed_at"])}
    same = case["name"].endswith(("a member more", "written otherwise"))
    assert heads.holds(row, keys) is (case["holds"] or same)
