"""A signature over a report: a detached JWS (RFC 7515, appendix F) by an Ed25519 key, over the file's very bytes.

It proves who made the report, not that the report is true: what else must hold is told by `verification`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from offcampus_conformance.signature import Key, thumbprint

ALGORITHM = "Ed25519"
REPORT_TYPE, WAIVER_TYPE = "offcampus-report+jws", "offcampus-waiver+jws"


class SignatureInvalid(Exception):
    """A signature that cannot be read or does not hold; the message says why."""


def sign_detached(payload: bytes, key: Key, kind: str = REPORT_TYPE) -> str:
    """The signature over a file's bytes, without the bytes."""
    head, _, signature = sign(payload, key, kind).split(".")
    return f"{head}..{signature}"


def sign(payload: bytes, key: Key, kind: str) -> str:
    """A compact JWS with its payload."""
    header = {"alg": ALGORITHM, "kid": key.thumbprint, "typ": kind}
    return jws.serialize_compact(header, payload, OKPKey.import_key({**key.jwk(private=True)}), algorithms=[ALGORITHM])


def key_id(token: str) -> str:
    """The id of the key that a token says it was signed with. Raises SignatureInvalid."""
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise SignatureInvalid(f"alg is {header.get('alg')!r}; only {ALGORITHM} is taken")
    return str(header.get("kid"))


def check_detached(token: str, payload: bytes, jwk: Mapping[str, str], kind: str = REPORT_TYPE) -> None:
    """Raise SignatureInvalid unless the token is this key's signature over these bytes."""
    head, separator, signature = token.strip().partition("..")
    if not separator:
        raise SignatureInvalid("not a detached signature")
    check(f"{head}.{_b64(payload)}.{signature}", jwk, kind)


def check(token: str, jwk: Mapping[str, str], kind: str) -> bytes:
    """The payload of a token that this key signed. Raises SignatureInvalid."""
    header = _header(token)
    if header.get("typ") != kind:
        raise SignatureInvalid(f"typ is {header.get('typ')!r}, not {kind!r}: signed for another purpose")
    if key_id(token) != thumbprint(jwk):
        raise SignatureInvalid("signed with another key")
    try:
        public = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
        return bytes(jws.deserialize_compact(token, public, algorithms=[ALGORITHM]).payload)
    except (JoseError, ValueError) as error:
        raise SignatureInvalid(f"the signature does not hold ({type(error).__name__})") from None


def _header(token: str) -> dict[str, Any]:
    head = token.strip().partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        raise SignatureInvalid("the signature cannot be read") from None
    if not isinstance(found, dict):
        raise SignatureInvalid("the signature cannot be read")
    return found


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
