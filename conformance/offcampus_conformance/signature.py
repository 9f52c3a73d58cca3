"""Request signatures and client assertions as the standard defines them, written out by hand.

The judge does not borrow the SDK's signer: a second, independent implementation shows that the standard can be
implemented from its text, and only hand-made messages can be wrong on purpose (RFC 9421, RFC 9530, RFC 7523).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LABEL = "ofc"
REQUEST_TAG = "ofc-request"
EVENT_TAG = "ofc-event"
ALWAYS = ("@method", "@authority", "@path", "@query", "authorization")
WITH_BODY = ("content-digest", "content-type")
IF_PRESENT = ("idempotency-key", "if-match")
EVENT_COMPONENTS = (
    "@method", "@authority", "@path", "content-digest", "content-type", "webhook-id", "webhook-timestamp",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """An Ed25519 private key with its RFC 7638 thumbprint as id."""

    private: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> Key:
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> Key:
        """Read a private JWK (kty OKP, crv Ed25519). Raises ValueError when it is something else."""
        jwk = json.loads(path.read_text(encoding="utf-8"))
        if jwk.get("crv") != "Ed25519" or "d" not in jwk:
            raise ValueError(f"{path} is not a private Ed25519 JWK")
        return cls(Ed25519PrivateKey.from_private_bytes(_unb64(jwk["d"])))

    def jwk(self, *, private: bool = False) -> dict[str, str]:
        """The key as JWK; the private part only on demand."""
        public = {"kty": "OKP", "crv": "Ed25519", "x": _b64(self.private.public_key().public_bytes_raw())}
        return {**public, "d": _b64(self.private.private_bytes_raw())} if private else public

    @property
    def thumbprint(self) -> str:
        """RFC 7638: SHA-256 over the required members in lexical order."""
        return thumbprint(self.jwk())


def thumbprint(jwk: Mapping[str, str]) -> str:
    """RFC 7638 thumbprint of a public OKP key."""
    members = {name: jwk[name] for name in ("crv", "kty", "x")}
    return _b64(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def content_digest(body: bytes) -> str:
    """RFC 9530 Content-Digest with SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign(  # the parameters are those of the message
    key: Key, method: str, url: str, headers: Mapping[str, str], *, created: int, expires: int | None = None,
    nonce: str | None = None, components: Sequence[str] | None = None, tag: str = REQUEST_TAG,
) -> dict[str, str]:  # fmt: skip
    """The `Signature-Input` and `Signature` headers for a request.

    Args:
        created: seconds since the epoch; `expires` defaults to 300 s later.
        components: what is covered; by default all that the standard demands for these headers.
    """
    present = {name.lower() for name in headers}
    wanted = components if components is not None else request_components(headers)
    covered = [name for name in wanted if name.startswith("@") or name in present]
    parameters = (
        f"({' '.join(json.dumps(name) for name in covered)});created={created}"
        f';expires={created + 300 if expires is None else expires};nonce="{nonce or secrets.token_urlsafe(16)}"'
        f';keyid="{key.thumbprint}";tag="{tag}"'
    )
    signature = key.private.sign(_base(method, url, headers, covered, parameters))
    return {
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{base64.b64encode(signature).decode()}:",
    }


def request_components(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What a request signature must cover, given the request's headers."""
    present = {name.lower() for name in headers}
    body = WITH_BODY if "content-digest" in present else ()
    return (*ALWAYS, *body, *(name for name in IF_PRESENT if name in present))


def verify(jwk: Mapping[str, str], method: str, url: str, headers: Mapping[str, str]) -> str | None:
    """None when the message's signature holds under this public key; otherwise what is wrong with it."""
    given = {name.lower(): value for name, value in headers.items()}
    if "signature-input" not in given or "signature" not in given:
        return "no Signature-Input or no Signature header"
    label, _, parameters = given["signature-input"].partition("=")
    covered = [part.strip('"') for part in parameters[1 : parameters.index(")")].split()]
    missing = [name for name in covered if not name.startswith("@") and name not in given]
    if missing:
        return f"covers {missing}, which the message does not carry"
    signature = base64.b64decode(given["signature"].removeprefix(f"{label}=:").removesuffix(":"))
    public = Ed25519PublicKey.from_public_bytes(_unb64(jwk["x"]))
    try:
        public.verify(signature, _base(method, url, headers, covered, parameters))
    except InvalidSignature:
        return "the signature does not hold under the party's key"
    return None


def covered_components(signature_input: str) -> tuple[str, ...]:
    """The component names of a Signature-Input header; empty when it cannot be read."""
    start, end = signature_input.find("("), signature_input.find(")")
    return tuple(part.strip('"') for part in signature_input[start + 1 : end].split()) if 0 <= start < end else ()


def client_assertion(key: Key, client_id: str, audience: Any, *, now: int, lifetime: int = 60, **claims: Any) -> str:
    """A `private_key_jwt` assertion (RFC 7523); `claims` overwrite the lawful ones, to make unlawful assertions."""
    header = {"alg": "Ed25519", "typ": "JWT", "kid": key.thumbprint}
    payload = {
        "iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + lifetime,
        "jti": secrets.token_urlsafe(16), **claims,
    }  # fmt: skip
    text = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(payload).encode())}"
    return f"{text}.{_b64(key.private.sign(text.encode()))}"


def _base(method: str, url: str, headers: Mapping[str, str], covered: Sequence[str], parameters: str) -> bytes:
    parts = urlsplit(url)
    derived = {
        "@method": method.upper(), "@authority": parts.netloc.lower(), "@path": parts.path or "/",
        "@query": f"?{parts.query}",
    }  # fmt: skip
    given = {name.lower(): value.strip() for name, value in headers.items()}
    lines = [f'"{name}": {derived[name] if name.startswith("@") else given[name]}' for name in covered]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
