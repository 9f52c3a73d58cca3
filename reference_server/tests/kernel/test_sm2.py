"""The other suite: a party with an SM2 key is known by token and signature; each forgery is refused; keys are judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from offcampus_sdk import Key
from offcampus_sdk.auth import client_assertion
from offcampus_sdk.signing import sign_request
from offcampus_sdk.sm2 import Sm2Key
from offcampus_server.kernel import party_keys
from offcampus_server.kernel.clock import security_now
from offcampus_server.kernel.party_keys import UnusableKey
from offcampus_server.parties import service
from world import ISSUER, World, problem

KEY = Sm2Key.generate()
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def party(sqlite_world: World) -> tuple[World, str]:
    """A world with a vendor that signs with SM2 and acts for the institution."""
    storage = sqlite_world.platform.storage
    sqlite_world.open_institution()
    with storage.engine.begin() as connection:
        now = sqlite_world.now
        id = service.register(
            connection, now, name="SM2", role="institution_system", region_code="110105", jwks=[KEY.public_jwk()]
        )
        service.grant(connection, id, sqlite_world.ids["institution"], now)
    return sqlite_world, id


def token(world: World, id: str, key: Any) -> Any:
    form = {
        "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(key, id, ISSUER, security_now()),
    }  # fmt: skip
    return world.http.post("/v1/token", data=form, base_url=ISSUER)


def file_campus(world: World, bearer: str, key: Any, spoil: Any = None) -> Any:
    document = {
        "external_id": world.fresh("cmp"), "institution_id": world.ids["institution"], "name": "东校区",
        "region_code": "110105", "address": "某路二号", "building_area_m2": 300, "capacity_pupils": 60,
    }  # fmt: skip
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json", "Idempotency-Key": "k" * 24}
    sign_request(key, "POST", f"{ISSUER}/v1/campuses", headers, body, security_now())
    if spoil is not None:
        spoil(headers)
    return world.http.post("/v1/campuses", data=body, headers=headers, base_url=ISSUER)


def test_a_party_with_an_sm2_key_is_known(party: tuple[World, str]) -> None:
    """Token by SM2 assertion, write by SM2 signature; the metadata says that the suite is offered."""
    world, id = party
    bearer = world.ok(token(world, id, KEY))["access_token"]
    world.ok(file_campus(world, bearer, KEY), 201)
    metadata = world.ok(world.http.get("/.well-known/oauth-authorization-server", base_url=ISSUER))
    assert metadata["token_endpoint_auth_signing_alg_values_supported"] == ["Ed25519", "SM2SM3"]


def test_forgeries_are_refused(party: tuple[World, str]) -> None:
    """A stranger's key of either suite, a signature of another length, swapped halves, one bit, a downgraded header."""
    world, id = party
    for stranger in (Sm2Key.generate(), Key.generate()):
        problem(token(world, id, stranger), 401, "auth.client_assertion")
    downgraded = client_assertion(KEY, id, ISSUER, security_now()).split(".")
    assert party_keys.load(KEY.public_jwk()).claims_of(".".join(["eyJhbGciOiJub25lIn0", *downgraded[1:]])) is None
    bearer = world.ok(token(world, id, KEY))["access_token"]
    problem(file_campus(world, bearer, Sm2Key.generate()), 401, "signature.invalid")
    problem(
        file_campus(world, bearer, KEY, lambda headers: headers.update({"Content-Type": "application/json; a=b"})),
        401,
        "signature.invalid",
    )
    key, message = party_keys.load(KEY.public_jwk()), b"message"
    signature = KEY.sign(message)
    assert key.verifies(signature, message)
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    for wrong in (flipped, signature[32:] + signature[:32], signature + b"\0", signature[:63], b"", b"\0" * 64):
        assert not key.verifies(wrong, message)
    assert not key.verifies(signature, message + b".")


@pytest.mark.parametrize(
    "change",
    [{"x": "AAAA"}, {"x": "A" * 43}, {"kty": "OKP"}, {"y": None}, {"crv": "P-256"}, {"crv": "Ed448"}, {"x": "€"}],
    ids=["short", "off the curve", "another kind", "half a key", "another curve", "another Edwards curve", "no base64"],
)  # fmt: skip
def test_keys_that_cannot_be_used_are_refused(change: dict[str, Any]) -> None:
    """At registration, with what is allowed."""
    with pytest.raises(UnusableKey):
        party_keys.load({**KEY.public_jwk(), **change})


def test_without_the_library_the_suite_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata and registration say so; Ed25519 goes on."""
    monkeypatch.setitem(__import__("sys").modules, "gmssl_pyx", None)
    monkeypatch.setattr(party_keys.importlib.util, "find_spec", lambda name: None)
    assert party_keys.offered() == ["Ed25519"]
    with pytest.raises(UnusableKey, match=r"offcampus-server\[sm\]"):
        party_keys.load(KEY.public_jwk())
    assert party_keys.load(Key.generate().public_jwk()).id
