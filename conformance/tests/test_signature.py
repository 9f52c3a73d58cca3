"""The suite's own signer: what it signs, another implementation's rules accept; what it breaks, they refuse."""

from __future__ import annotations

import pytest
from offcampus_conformance.signature import Key, content_digest, covered_components, sign, thumbprint, verify

URL = "https://platform.example/v1/orders?limit=2"


def signed(key: Key) -> dict[str, str]:
    body = b'{"a":1}'
    headers = {
        "Authorization": "Bearer t", "Content-Type": "application/json", "Content-Digest": content_digest(body),
        "Idempotency-Key": "k1",
    }  # fmt: skip
    return headers | sign(key, "POST", URL, headers, created=1_700_000_000)


def test_an_honest_signature_holds() -> None:
    """It covers all that the standard demands and verifies under the public key."""
    key = Key.generate()
    headers = signed(key)
    assert verify(key.jwk(), "POST", URL, headers) is None
    assert covered_components(headers["Signature-Input"]) == (
        "@method", "@authority", "@path", "@query", "authorization", "content-digest", "content-type",
        "idempotency-key",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer other"), ("Content-Digest", content_digest(b"{}")), ("Idempotency-Key", "k2"),
        ("Content-Type", "text/plain"),
    ],
)  # fmt: skip
def test_each_covered_header_is_bound(name: str, value: str) -> None:
    """Changing any covered header breaks the signature."""
    key = Key.generate()
    assert verify(key.jwk(), "POST", URL, signed(key) | {name: value}) is not None


@pytest.mark.parametrize(
    ("method", "url"),
    [("PUT", URL), ("POST", URL + "1"), ("POST", URL.replace("orders", "refunds")), ("POST", "https://other/v1/orders?limit=2")],
)  # fmt: skip
def test_method_and_address_are_bound(method: str, url: str) -> None:
    """A signature for one request does not serve another."""
    key = Key.generate()
    assert verify(key.jwk(), method, url, signed(key)) is not None


def test_thumbprint_of_rfc_8037() -> None:
    """RFC 8037 appendix A.3 gives this thumbprint for this key."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
