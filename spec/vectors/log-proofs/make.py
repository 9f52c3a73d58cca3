"""Make the vectors of log proofs, from the definitions of RFC 9162 section 2.1 and nothing else.

Standard library only and no line shared with what it is to test: the hashes of whole lists are worked out again and
again by the recursive definitions, slowly. `python make.py` writes inclusion.json,
consistency.json and leaves.json beside it; heads.json says itself how it was made.

The eight leaves and their roots are those that Certificate Transparency implementations publish as known answers; the
ways to spoil a proof follow the kinds that transparency-dev/merkle tests (Apache-2.0), written anew here.
"""

import hashlib
import json
from pathlib import Path

LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
GARBAGE = "00" * 32


def sha(data):
    return hashlib.sha256(data).digest()


def split(size):
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def tree_hash(entries):
    """MTH of section 2.1.1."""
    if not entries:
        return sha(b"")
    if len(entries) == 1:
        return sha(b"\x00" + entries[0])
    half = split(len(entries))
    return sha(b"\x01" + tree_hash(entries[:half]) + tree_hash(entries[half:]))


def path(index, entries):
    """PATH of section 2.1.3.1."""
    if len(entries) == 1:
        return []
    half = split(len(entries))
    if index < half:
        return [*path(index, entries[:half]), tree_hash(entries[half:])]
    return [*path(index - half, entries[half:]), tree_hash(entries[:half])]


def proof(first, entries):
    """PROOF of section 2.1.4.1."""
    return subproof(first, entries, True)


def subproof(first, entries, whole):
    """SUBPROOF of section 2.1.4.1."""
    if first == len(entries):
        return [] if whole else [tree_hash(entries)]
    half = split(len(entries))
    if first <= half:
        return [*subproof(first, entries[:half], whole), tree_hash(entries[half:])]
    return [*subproof(first - half, entries[half:], False), tree_hash(entries[:half])]


def spoiled_paths(hashes, *more):
    """Ways to spoil a path, by name; `more` are hashes that a forger would try."""
    tried = dict(zip(("a root", "another root"), more, strict=False)) | {"garbage": GARBAGE}
    ways = {f"{name} before the path": [extra, *hashes] for name, extra in tried.items()}
    ways |= {f"{name} after the path": [*hashes, extra] for name, extra in tried.items()}
    for place, text in enumerate(hashes):
        changed = f"{int(text[0], 16) ^ 1:x}" + text[1:]
        ways[f"one bit of hash {place} changed"] = [*hashes[:place], changed, *hashes[place + 1 :]]
        ways[f"hash {place} of 31 bytes"] = [*hashes[:place], text[2:], *hashes[place + 1 :]]
    if hashes:
        ways["the last hash missing"] = hashes[:-1]
        ways["no path"] = []
    if len(hashes) > 1:
        ways["the path turned round"] = hashes[::-1]
    return ways


def inclusion_cases():
    for index, size in ((0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (4, 5), (6, 7)):
        entries = LEAVES[:size]
        good = {
            "index": index, "size": size, "leaf_hash": tree_hash([entries[index]]).hex(),
            "path": [one.hex() for one in path(index, entries)], "root_hash": tree_hash(entries).hex(),
        }  # fmt: skip
        name = f"leaf {index} of {size}"
        yield {"name": name, "holds": True, **good}
        for way, spoiled in spoiled_paths(good["path"], good["root_hash"], good["leaf_hash"]).items():
            yield {"name": f"{name}: {way}", "holds": False, **good, "path": spoiled}
        wrong = {
            "index below the tree": {"index": -1}, "index at the end of the tree": {"index": size},
            "another index": {"index": index ^ 1}, "no leaves": {"size": 0}, "negative size": {"size": -1},
            "twice as many leaves": {"size": size * 2},
            "garbage for the root": {"root_hash": GARBAGE}, "garbage for the leaf": {"leaf_hash": GARBAGE},
            "no root": {"root_hash": ""}, "no leaf": {"leaf_hash": ""},
        }  # fmt: skip
        if size > 1:
            wrong["root and leaf swapped"] = {"root_hash": good["leaf_hash"], "leaf_hash": good["root_hash"]}
        for way, members in wrong.items():
            yield {"name": f"{name}: {way}", "holds": False, **good, **members}
    nothing = {"index": 0, "size": 0, "path": [], "leaf_hash": "", "root_hash": ""}
    yield {"name": "a tree of nothing", "holds": False, **nothing}
    empty = sha(b"").hex()
    yield {
        "name": "the empty root stands for no leaf",
        "holds": False,
        **nothing,
        "leaf_hash": empty,
        "root_hash": empty,
    }


def consistency_cases():
    for first, second in ((1, 1), (1, 8), (6, 8), (2, 5), (6, 7), (3, 7), (4, 8), (7, 8), (8, 8)):
        good = {
            "first": first, "second": second, "first_root": tree_hash(LEAVES[:first]).hex(),
            "second_root": tree_hash(LEAVES[:second]).hex(),
            "path": [one.hex() for one in proof(first, LEAVES[:second])],
        }  # fmt: skip
        name = f"{first} to {second}"
        yield {"name": name, "holds": True, **good}
        for way, spoiled in spoiled_paths(good["path"], good["first_root"], good["second_root"]).items():
            yield {"name": f"{name}: {way}", "holds": False, **good, "path": spoiled}
        wrong = {
            "nothing first": {"first": 0}, "negative first": {"first": -1}, "one more first": {"first": first + 1},
            "garbage for the first root": {"first_root": GARBAGE},
            "garbage for the second root": {"second_root": GARBAGE},
            "no roots": {"first_root": "", "second_root": ""},
        }  # fmt: skip
        if first < second:
            wrong["roots swapped"] = {"first_root": good["second_root"], "second_root": good["first_root"]}
            wrong["sizes swapped"] = {"first": second, "second": first}
            wrong["twice as many second"] = {"second": second * 2}
        for way, members in wrong.items():
            yield {"name": f"{name}: {way}", "holds": False, **good, **members}
    nothing = {"first": 0, "second": 0, "path": [], "first_root": "", "second_root": ""}
    yield {"name": "from nothing to nothing", "holds": False, **nothing}


def leaf_cases():
    order, previous = "ord_01m01nsaw0e5hbt45jqsn74mqw", KNOWN_ROOTS[0]
    row = {"seq": 3, "id": "trf_01m89k7psdea0rwhgpvdj2skjs", "kind": "release", "amount_fen": 24000}
    leaves = {
        "a transfer that begins its order's chain": {
            "v": 1, "type": "transfer.created", "row": row, "chain": {"subject": order, "no": 1},
        },
        "what became of it, after another fact": {
            "v": 1, "type": "transfer.resolved", "row": {"id": row["id"], "seq": 3, "state": "posted"},
            "chain": {"previous": previous, "subject": order, "no": 2},
        },
        "an audit line whose detail is a commitment": {
            "v": 1, "type": "audit.written", "row": {"action": "createOrder", "seq": 25}, "personal": previous,
        },
        "texts that need care": {
            "v": 1, "type": "audit.written",
            "row": {"subject": "张三·𠮷 \"quoted\" back\\slash / \u2028 \u007f \t\n\u0001 é", "z": "", "B": "b"},
        },
        "the largest and the smallest number": {
            "v": 1, "type": "audit.written", "row": {"most": 2**53 - 1, "least": 1 - 2**53, "none": 0},
        },
    }  # fmt: skip
    for name, leaf in leaves.items():
        text = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        yield {"name": name, "leaf": leaf, "canonical": text, "leaf_hash": sha(b"\x00" + text.encode()).hex()}


def files():
    """The vectors by file name."""
    assert [tree_hash(LEAVES[: size + 1]).hex() for size in range(8)] == KNOWN_ROOTS
    known = [{"size": size, "root_hash": root} for size, root in enumerate(KNOWN_ROOTS, 1)]
    both = {
        "topic": "log-proofs",
        "hash_id": "sha-256",
        "leaves": [leaf.hex() for leaf in LEAVES],
        "known_roots": known,
    }
    return {
        "inclusion.json": {
            **both, "title_en": "A leaf is in a tree, or is not shown to be",
            "title_zh": "叶子是否在树中的证明（含应拒绝的证明）", "cases": list(inclusion_cases()),
        },
        "consistency.json": {
            **both, "title_en": "A tree begins with a smaller one, or is not shown to",
            "title_zh": "大树以小树开头的一致性证明（含应拒绝的证明）", "cases": list(consistency_cases()),
        },
        "leaves.json": {
            "topic": "log-proofs", "hash_id": "sha-256", "title_en": "A leaf's canonical form and its hash",
            "title_zh": "叶子的规范形式与哈希", "cases": list(leaf_cases()),
        },
    }  # fmt: skip


if __name__ == "__main__":
    for name, document in files().items():
        text = json.dumps(document, ensure_ascii=False, indent=1)
        Path(__file__).with_name(name).write_text(text + "\n", encoding="utf-8")
