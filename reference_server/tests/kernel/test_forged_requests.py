"""T11: six hundred replayed, forged and stale requests of a bank, each beside an honest twin that is let through.

A fifth of each kind runs by default, all of them with `-m slow`. Every request asks for an instruction that is not
there: who is let through is answered 404, who is not 401, and nothing is stored either way.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from offcampus_server.kernel import keyring
from world import ISSUER, Party, World, digest, problem, sign

PATH = "/v1/custody-instructions/cin_" + "0" * 26
BODY = {"bank_reference": "银行001", "executed_at": "2026-08-15T11:58:00+08:00"}


@dataclass
class Sent:
    """One request as it goes out, and what has been done to it."""

    method: str = "POST"
    path: str = f"{PATH}/execution"
    content: bytes = field(default_factory=lambda: json.dumps(BODY, ensure_ascii=False).encode())
    headers: dict[str, str] = field(default_factory=dict)


def honest(party: Party, **signature: Any) -> Sent:
    sent = Sent()
    sent.headers = {
        "Authorization": f"Bearer {party.token}", "Content-Type": "application/json",
        "Content-Digest": digest(sent.content), "Idempotency-Key": secrets.token_urlsafe(12),
    }  # fmt: skip
    sent.headers |= sign(party.key, sent.method, sent.path, sent.headers, **signature)
    return sent


def send(party: Party, sent: Sent) -> Any:
    return party.http.open(sent.path, method=sent.method, headers=sent.headers, data=sent.content, base_url=ISSUER)


Spoil = Callable[[World, random.Random], tuple[Sent, Sent]]
"""Makes an honest request and its dishonest twin."""


def replay(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    sent = honest(world.bank)
    return sent, sent


def after_signing(*changes: Callable[[World, random.Random, Sent], None]) -> Spoil:
    def make(world: World, rng: random.Random) -> tuple[Sent, Sent]:
        twin, sent = honest(world.bank), honest(world.bank)
        rng.choice(changes)(world, rng, sent)
        return twin, sent

    return make


def other_sum(world: World, rng: random.Random, sent: Sent) -> None:
    sent.content = sent.content.replace(b"001", f"{rng.randint(2, 999):03d}".encode())


def other_sum_and_digest(world: World, rng: random.Random, sent: Sent) -> None:
    other_sum(world, rng, sent)
    sent.headers["Content-Digest"] = digest(sent.content)


def other_path(world: World, rng: random.Random, sent: Sent) -> None:
    sent.path = f"{PATH}/failure" if rng.random() < 0.5 else sent.path.replace("cin_0", "cin_1")


def other_query(world: World, rng: random.Random, sent: Sent) -> None:
    sent.path += f"?x={rng.randint(1, 9)}"


def other_key(world: World, rng: random.Random, sent: Sent) -> None:
    sent.headers["Idempotency-Key"] = secrets.token_urlsafe(12)


def other_tenants_token(world: World, rng: random.Random, sent: Sent) -> None:
    sent.headers["Authorization"] = f"Bearer {rng.choice([world.vendor, world.authority, world.guardian_app]).token}"


def other_order(world: World, rng: random.Random, sent: Sent) -> None:
    """The covered components in another order than they were signed in."""
    label, _, rest = sent.headers["Signature-Input"].partition("(")
    inside, _, parameters = rest.partition(")")
    names = inside.split(" ")
    rng.shuffle(names)
    shuffled = names if names != inside.split(" ") else names[::-1]
    sent.headers["Signature-Input"] = f"{label}({' '.join(shuffled)}){parameters}"


def no_algorithm(world: World, rng: random.Random, sent: Sent) -> None:
    sent.headers["Signature-Input"] += f';alg="{rng.choice(["none", "hmac-sha256", "rsa-v1_5-sha256"])}"'


def empty_signature(world: World, rng: random.Random, sent: Sent) -> None:
    sent.headers["Signature"] = rng.choice(["ofc=::", "ofc=:AA==:", "", "ofc=:" + "A" * 86 + "==:"])


def strangers_key(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    """Signed by a key that nobody registered, under its own name or the bank's."""
    stranger = Party(world.bank.client_id, keyring.generate(), world.bank.http, world.bank.token)
    named = {"keyid": world.bank.key.thumbprint()} if rng.random() < 0.5 else {}
    return honest(world.bank), honest(stranger, **named)


def other_tenants_key(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    thief = Party(world.bank.client_id, rng.choice([world.vendor, world.authority]).key, world.bank.http,
                  world.bank.token)  # fmt: skip
    return honest(world.bank), honest(thief)


def window(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    """Just inside the window of -300 s and +10 s, by what a busy machine takes, and just outside."""
    now = int(time.time())
    inside, outside = rng.choice([(-280, -303), (5, 30), (-200, -301), (0, 60)])
    twin = honest(world.bank, created=now + inside, expires=now + inside + 300)
    return twin, honest(world.bank, created=now + outside, expires=now + outside + 300)


def expired(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    now = int(time.time())
    return honest(world.bank, expires=now + 60), honest(world.bank, created=now - 100, expires=now - rng.randint(5, 99))


def reserialised(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    sent = honest(world.bank)
    forms = [{"ensure_ascii": True}, {"indent": 1}, {"sort_keys": True, "separators": (",", ":")}, {"indent": "\t"}]
    sent.content = json.dumps(BODY, **rng.choice(forms)).encode()
    return honest(world.bank), sent


def truncated(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    sent = honest(world.bank)
    part = rng.choice(["content", "Signature", "Signature-Input", "Content-Digest"])
    if part == "content":
        sent.content = sent.content[: rng.randrange(1, len(sent.content))]
    else:
        sent.headers[part] = sent.headers[part][: rng.randrange(5, len(sent.headers[part]) - 1)]
    return honest(world.bank), sent


def nonce_again(world: World, rng: random.Random) -> tuple[Sent, Sent]:
    """The nonce of an honest request under a new, good signature."""
    nonce = secrets.token_urlsafe(16)
    return honest(world.bank, nonce=nonce), honest(world.bank, nonce=nonce)


FORGERIES = (other_sum, other_sum_and_digest, other_path, other_query, other_key, other_tenants_token, other_order,
             no_algorithm, empty_signature)  # fmt: skip
KINDS: dict[str, tuple[int, Spoil]] = {
    "replayed": (100, replay),
    "forged after signing": (160, after_signing(*FORGERIES)),
    "signed by a stranger": (20, strangers_key),
    "signed by another tenant": (20, other_tenants_key),
    "at the window's edges": (60, window),
    "expired": (40, expired),
    "re-serialised": (40, reserialised),
    "truncated": (40, truncated),
    "the nonce again": (80, nonce_again),
}
ASSERTIONS = 40
"""The jti of a client assertion, used twice."""


def judge(world: World, kind: str, numbers: range) -> None:
    _, make = KINDS[kind]
    for number in numbers:
        rng = random.Random(f"{kind} {number}")
        twin, sent = make(world, rng)
        through = send(world.bank, twin)
        assert through.status_code == 404, f"{kind} {number}: the honest twin was refused: {through.json}"
        answer = send(world.bank, sent)
        assert answer.status_code == 401, f"{kind} {number}: {answer.status_code} {sent}"
        assert answer.json["code"].startswith(("signature.", "auth.")), f"{kind} {number}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fifth_of_each_kind(shared_world: World, kind: str) -> None:
    """Refused by a code of signatures or tokens, and the honest twin let through."""
    judge(shared_world, kind, range(KINDS[kind][0] // 5))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_of_each_kind(shared_world: World, kind: str) -> None:
    """The whole count of the plan."""
    judge(shared_world, kind, range(KINDS[kind][0]))


def test_an_assertion_twice(shared_world: World) -> None:
    """The same jti gives one token, forty times."""
    for _ in range(ASSERTIONS):
        jti = secrets.token_urlsafe(16)
        assert shared_world.bank.sign_in(jti=jti).status_code == 200
        problem(shared_world.bank.sign_in(jti=jti), 401, "auth.client_assertion")


def test_there_are_six_hundred() -> None:
    """The count of the plan."""
    assert sum(count for count, _ in KINDS.values()) + ASSERTIONS == 600


def test_nothing_was_stored(shared_world: World) -> None:
    """None of it left a movement, a transfer or an answer to a key."""
    assert [shared_world.count(table) for table in ("custody_movements", "ledger_transfers")] == [0, 0]
