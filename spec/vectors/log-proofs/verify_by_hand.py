"""Check a proof of the platform's log by hand: standard library only, straight from RFC 9162 section 2.1.

    python verify_by_hand.py proofs.json [consistency.json older-head.json]

`proofs.json` is what getOrderProofs or getInstructionProofs answered, `consistency.json` what getLogConsistency
answered between the head that you kept and the head in proofs.json. The head's signature is Ed25519, which the
standard library has not: docs/provable-log.md says how openssl checks it.
"""

import hashlib
import json
import sys


def must(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    return 1 << (size - 1).bit_length() - 1


def included(index, size, leaf, path):
    """The root that a path leads to; the last hash of a path is the one nearest to the root."""
    if size == 1:
        must(not path, "the path is too long")
        return leaf
    half, (*rest, other) = split(size), path
    if index < half:
        return node(included(index, half, leaf, rest), other)
    return node(other, included(index - half, size - half, leaf, rest))


def grown(first, second, path, known):
    """The roots at `first` and at `second` leaves that a path leads to; `known` is the first one, while it still is."""
    if first == second:
        [found] = path if known is None else [known, *path]
        return found, found
    half, (*rest, other) = split(second), path
    if first <= half:
        old, new = grown(first, half, rest, known)
        return old, node(new, other)
    old, new = grown(first - half, second - half, rest, None)
    return node(other, old), node(other, new)


def hashes(texts):
    found = [bytes.fromhex(text) for text in texts]
    must(all(len(one) == 32 for one in found), "a hash has 32 bytes")
    return found


def check(proofs, consistency=None, older=None):
    head, [root] = proofs["head"], hashes([proofs["head"]["root_hash"]])
    for entry in proofs["entries"]:
        text = json.dumps(entry["leaf"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        leaf, index = hashlib.sha256(b"\x00" + text.encode()).digest(), entry["index"]
        must(0 <= index < head["size"], "the leaf lies outside the tree")
        must(included(index, head["size"], leaf, hashes(entry["path"])) == root, "the leaf is not in the tree")
    if consistency:
        first, second, [kept] = older["size"], head["size"], hashes([older["root_hash"]])
        must(0 < first <= second, "the log has shrunk")
        must((consistency["first"], consistency["second"]) == (first, second), "a proof between other sizes")
        must(grown(first, second, hashes(consistency["path"]), kept) == (kept, root), "history was changed")
    return len(proofs["entries"])


def load(name):
    with open(name, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    try:
        count = check(*map(load, sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"does not hold: {error}")
    print(f"{count} leaves are in the tree")
