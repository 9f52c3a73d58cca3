"""Tokens and signatures: forged, stale, replayed, for others; each refused by name, and nothing changes."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
from joserfc import jwt
from offcampus_server.kernel import keyring
from world import ISSUER, World, problem

NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ISSUER + "/v1/token"}, {"aud": [ISSUER]}, {"aud": [ISSUER, "https://other.example"]}, {"aud": None},
        {"iss": "pty_other"}, {"sub": "pty_other"}, {"iat": NOW - 120, "exp": NOW - 60}, {"exp": NOW + 3600},
        {"iat": NOW + 600, "exp": NOW + 650}, {"exp": None}, {"iat": "now"}, {"jti": None}, {"jti": "x"}, {"jti": 7},
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)  # fmt: skip
def test_unlawful_assertions(shared_world: World, claims: dict[str, Any]) -> None:
    """No token for an assertion that is not meant for us, not short, or not single."""
    problem(shared_world.vendor.sign_in(**claims), 401, "auth.client_assertion")


def test_an_assertion_is_used_once(shared_world: World) -> None:
    """The same jti gives one token."""
    jti = secrets.token_urlsafe(16)
    assert shared_world.vendor.sign_in(jti=jti).status_code == 200
    problem(shared_world.vendor.sign_in(jti=jti), 401, "auth.client_assertion")


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0."])
def test_things_that_are_no_assertion(shared_world: World, assertion: str) -> None:
    """Rubbish and alg none are refused, never a 500."""
    form = {"grant_type": "client_credentials", "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
    answer = shared_world.http.post("/v1/token", data=form, base_url=ISSUER)
    assert answer.status_code in (401, 422)


def test_a_strangers_key_gets_no_token(shared_world: World) -> None:
    """An assertion signed by a key that is not registered for the client is refused."""
    stranger = type(shared_world.vendor)(shared_world.vendor.client_id, keyring.generate(), shared_world.http)
    problem(stranger.sign_in(), 401, "auth.client_assertion")


def forged(world: World, **claims: Any) -> str:
    """A token as ours, with other claims, signed by a stranger."""
    key = keyring.generate()
    now = int(time.time())
    body = {"iss": ISSUER, "sub": world.vendor.client_id, "exp": now + 300, "scope": "institution:read",
            "cnf": {"jkt": "x"}, **claims}  # fmt: skip
    return jwt.encode({"alg": "Ed25519", "typ": "at+jwt", "kid": key.thumbprint()}, body, key, algorithms=["Ed25519"])


def test_forged_tokens(shared_world: World) -> None:
    """A token by another key, cut, or of another kind is refused."""
    good = shared_world.vendor.token
    for token in (forged(shared_world), good[:-4], good + "x", "x", good.rpartition(".")[0] + "."):
        answer = shared_world.http.get(
            "/v1/institutions", headers={"Authorization": f"Bearer {token}"}, base_url=ISSUER
        )
        problem(answer, 401, "auth.token_invalid")
    problem(shared_world.http.get("/v1/institutions", base_url=ISSUER), 401, "auth.token_missing")


def test_a_disabled_party_is_out_at_once(sqlite_world: World) -> None:
    """Its token, alive for minutes still, no longer serves."""
    from offcampus_server.parties import service as parties

    sqlite_world.platform.storage.write(
        lambda work: parties.disable(work.connection, sqlite_world.vendor.client_id, work.now)
    )
    problem(sqlite_world.vendor.get("/v1/institutions"), 401, "auth.token_invalid")
    problem(sqlite_world.vendor.post("/v1/institutions", {}), 401, "auth.token_invalid")


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"signed": False}, "signature.missing"),
        ({"signature": {"created": NOW - 3600}}, "signature.expired"),
        ({"signature": {"created": NOW - 3600, "expires": NOW + 3600}}, "signature.expired"),
        ({"signature": {"expires": NOW + 100_000}}, "signature.expired"),
        ({"signature": {"created": NOW + 3600}}, "signature.clock_skew"),
        ({"signature": {"nonce": "short"}}, "signature.coverage"),
        ({"signature": {"keyid": "x"}}, "signature.invalid"),
        ({"signature": {"tag": "other"}}, "signature.missing"),
        ({"signature": {"components": ["@method", "@path"]}}, "signature.coverage"),
        ({"signature": {"components": ["@method", "@authority", "@path", "@query", "authorization", "content-type",
                                       "idempotency-key"]}}, "signature.coverage"),
        ({"headers": {"Content-Digest": "sha-256=:AAAA:"}}, "signature.digest"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)  # fmt: skip
def test_wrong_signatures(shared_world: World, how: dict[str, Any], code: str) -> None:
    """Each way to be wrong has its code, and nothing is stored."""
    before = shared_world.count("institutions")
    problem(shared_world.vendor.post("/v1/institutions", shared_world.institution_document(), **how), 401, code)
    assert shared_world.count("institutions") == before


def test_what_is_covered_cannot_be_changed(shared_world: World) -> None:
    """A signature holds for one key, one address, one token, one idempotency key."""
    from world import digest, sign

    vendor, content = shared_world.vendor, b"{}"
    sent = {"Authorization": f"Bearer {vendor.token}", "Content-Type": "application/json",
            "Content-Digest": digest(content), "Idempotency-Key": "one-key-only"}  # fmt: skip
    for change in ({"Idempotency-Key": "another-key"}, {"Content-Type": "application/json; charset=utf-8"}):
        signed = {**sent, **sign(vendor.key, "POST", "/v1/institutions", sent), **change}
        answer = vendor.http.post("/v1/institutions", headers=signed, data=content, base_url=ISSUER)
        problem(answer, 401, "signature.invalid")
    moved = {**sent, **sign(vendor.key, "POST", "/v1/institutions", sent)}
    problem(vendor.http.post("/v1/campuses", headers=moved, data=content, base_url=ISSUER), 401, "signature.invalid")


def test_another_partys_token_does_not_serve(shared_world: World) -> None:
    """A stolen token is useless without its key."""
    thief = type(shared_world.rival)(shared_world.rival.client_id, shared_world.rival.key, shared_world.http)
    thief.token = shared_world.vendor.token
    problem(thief.post("/v1/institutions", {}), 401, "signature.invalid")


def test_a_nonce_is_used_once_even_when_refused(world: World) -> None:
    """A replayed request is refused, also when the first one was refused for another reason."""
    for document in (world.institution_document(), {"external_id": "x"}):
        nonce = secrets.token_urlsafe(16)
        assert world.vendor.post("/v1/institutions", document, signature={"nonce": nonce}).status_code in (201, 422)
        answer = world.vendor.post("/v1/institutions", document, signature={"nonce": nonce})
        problem(answer, 401, "signature.replayed")
    assert world.count("institutions") == 1


def test_nonces_are_forgotten_after_they_cannot_be_replayed(sqlite_world: World) -> None:
    """The store does not grow for ever."""
    from offcampus_server.parties import service as parties

    sqlite_world.vendor.post("/v1/institutions", sqlite_world.institution_document())
    storage = sqlite_world.platform.storage
    assert storage.write(lambda work: parties.forget_expired(work.connection, int(time.time()) + 10_000)) >= 1
    assert sqlite_world.count("used_once") == 0
