"""What only the receiver of a request can know, as facts beside the bytes. Pure; never a secret, never a person.

Evidence is redacted before it is kept, so whatever a check needs of tokens, signatures and names is judged here.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from offcampus_conformance.redaction import PERSONAL_FIELDS
from offcampus_conformance.signature import (
    LABEL,
    REQUEST_TAG,
    content_digest,
    covered_components,
    request_components,
    thumbprint,
    verify,
)

Facts = dict[str, Any]
_NUMBER = re.compile(rb"(?<=[:\[,\s])-?\d+(?:\.\d+)?[eE][+-]?\d+|(?<=[:\[,\s])-?\d+\.\d+")
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"')


def of_signature(method: str, url: str, headers: Mapping[str, str], content: bytes, keys: list[dict[str, str]],
                 now: int) -> Facts:  # fmt: skip
    """What is to be said of a request's signature, part by part: a fault in one hides none in another."""
    given = {name.lower(): value for name, value in headers.items()}
    line = given.get("signature-input", "")
    covered, keyid = covered_components(line), parameter(line, "keyid")
    known = [thumbprint(jwk) for jwk in keys]
    created, expires = number(line, "created"), number(line, "expires")
    facts: Facts = {
        "present": bool(line and given.get("signature")),
        "label": line.partition("=")[0] == LABEL,
        "tag": parameter(line, "tag") == REQUEST_TAG,
        "alg": ";alg=" in line,
        "uncovered": [name for name in request_components(headers) if name not in covered],
        "digest": not content or given.get("content-digest") == content_digest(content),
        "created_skew_s": None if created is None else created - now,
        "lifetime_s": None if created is None or expires is None else expires - created,
        "nonce": parameter(line, "nonce"),
        "key": known.index(keyid) if keyid in known else None,
        "trouble": None,
    }
    if not facts["present"]:
        facts["trouble"] = "no Signature-Input or no Signature header"
    elif facts["key"] is None:
        facts["trouble"] = "no key of this keyid is registered for this client"
    else:
        facts["trouble"] = verify(keys[facts["key"]], method, url, headers)
    return facts


def of_assertion(content: bytes, keys: list[dict[str, str]], client_id: str, issuer: str, now: int) -> Facts:
    """What is judged of a token request; never the assertion itself."""
    form = dict(parse_qsl(content.decode("utf-8", "replace")))
    head, claims, holds = _jwt(form.get("client_assertion", ""), keys)
    lifetime = claims.get("exp", 0) - claims.get("iat", 0) if {"exp", "iat"} <= claims.keys() else None
    return {
        "lifetime_s": lifetime,
        "ahead_s": claims["iat"] - now if isinstance(claims.get("iat"), int) else None,
        "aud_is_text": isinstance(claims.get("aud"), str),
        "aud_is_issuer": claims.get("aud") == issuer or claims.get("aud") == [issuer],
        "iss_is_client": claims.get("iss") == client_id,
        "sub_is_client": claims.get("sub") == client_id,
        "jti": claims.get("jti"),
        "alg": head.get("alg"),
        "key": holds,
    }


def of_json(content: bytes) -> list[str]:
    """What is wrong with a body as text: encoding, repeated members, numbers with a point. Empty when nothing is."""
    found: list[str] = []
    if content.startswith(b"\xef\xbb\xbf"):
        found.append("json.encoding: a byte order mark")
        content = content[3:]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [*found, "json.encoding: not UTF-8"]
    repeated: set[str] = set()

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in members]
        repeated.update(name for name in names if names.count(name) > 1)
        return dict(members)

    try:
        parsed = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return [*found, "json.malformed: not JSON"]
    found += [f"json.duplicate_key: {name}" for name in sorted(repeated)]
    found += ["json.number: a number with a point or an exponent"] if _NUMBER.search(_TEXTS.sub(b'""', content)) else []
    if any(0xD800 <= ord(char) <= 0xDFFF for leaf in _leaves(parsed) for char in leaf[1]):
        found.append("json.surrogate: a lone surrogate")
    return found


def leaks(url: str, headers: Mapping[str, str], body: Any, canaries: Mapping[str, str]) -> list[str]:
    """Where personal data stands that the contract has no member for: `what at place`, never the value."""
    places = [("the address", unquote(url))]
    places += [(f"header {name}", value) for name, value in headers.items() if name.lower() != "authorization"]
    places += [(pointer, text) for pointer, text in _leaves(body) if pointer.rpartition("/")[2] not in PERSONAL_FIELDS]
    return sorted({f"{what} at {where}" for where, text in places for what, value in canaries.items() if value in text})


def people(document: Any, prefix: str = "") -> dict[str, str]:
    """Personal values in a document that a step hands over, by what they are: they are looked for elsewhere."""
    found: dict[str, str] = {}
    if isinstance(document, list):
        for item in document:
            found |= people(item, prefix)
    elif isinstance(document, dict):
        person = "id_number" in document or "relation" in document
        for name, value in document.items():
            if name == "account_number" and isinstance(value, str):
                found["an account's number"] = value
            elif person and name in ("name", "id_number", "phone") and isinstance(value, str) and len(value) >= 4:
                found[f"{'a guardian' if 'relation' in document else 'a person'}'s {name}"] = value
            else:
                found |= people(value, prefix)
    return found


def unknown_query(url: str, allowed: frozenset[str]) -> list[str]:
    """Query parameters that the operation does not have, or that stand twice."""
    names = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    return sorted({name for name in names if name not in allowed or names.count(name) > 1})


def parameter(signature_input: str, name: str) -> str | None:
    """A text parameter of a Signature-Input header."""
    _, found, rest = signature_input.partition(f';{name}="')
    return rest.partition('"')[0] if found else None


def number(signature_input: str, name: str) -> int | None:
    """A numeric parameter of a Signature-Input header."""
    _, found, rest = signature_input.partition(f";{name}=")
    digits = rest.partition(";")[0]
    return int(digits) if found and digits.isdigit() else None


def _leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{pointer}/{index}")
    elif isinstance(value, str):
        yield pointer, value


def _jwt(assertion: str, keys: list[dict[str, str]]) -> tuple[Facts, Facts, int | None]:
    """Header, claims, and which of the keys it holds under."""
    signed, _, signature = assertion.rpartition(".")
    try:
        head, claims = (json.loads(_unb64(part)) for part in signed.split("."))
        mark = _unb64(signature)
    except ValueError:
        return {}, {}, None
    for index, jwk in enumerate(keys):
        try:
            Ed25519PublicKey.from_public_bytes(_unb64(jwk["x"])).verify(mark, signed.encode())
        except InvalidSignature:
            continue
        return head, claims, index
    return head, claims, None


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
