"""The four tasks of `with_the_sdk.py` by plain HTTP, as small as they can be done properly: what the SDK saves.

Needs `cryptography` alone. Nothing here is an example to follow.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import secrets
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def place_an_order(base_url: str, client_id: str, key_file: Path, order: dict[str, Any]) -> str:
    """Signed, repeated where that is safe, one effect."""
    jwk = json.loads(key_file.read_text(encoding="utf-8"))
    body, key = json.dumps(order, ensure_ascii=False).encode(), secrets.token_urlsafe(18)
    bearer = _token(base_url, client_id, jwk)
    return str(_repeatedly("POST", f"{base_url}/v1/orders", jwk, bearer, body, key)["id"])


def read_all_orders(base_url: str, client_id: str, key_file: Path) -> list[str]:
    """Every page to the end."""
    jwk = json.loads(key_file.read_text(encoding="utf-8"))
    bearer, found, cursor = _token(base_url, client_id, jwk), [], None
    while True:
        query = f"?{urlencode({'cursor': cursor})}" if cursor else ""
        page = _repeatedly("GET", f"{base_url}/v1/orders{query}", jwk, bearer, b"", None)
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def report_durably(base_url: str, client_id: str, key_file: Path, spool: Path, records: list[dict[str, Any]]) -> int:
    """Nothing lost, nothing counted twice, whatever is killed when."""
    jwk = json.loads(key_file.read_text(encoding="utf-8"))
    db = sqlite3.connect(spool, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, external_id TEXT UNIQUE, document TEXT,"
        " batch TEXT, state TEXT DEFAULT 'waiting', problem TEXT)"
    )
    db.execute("BEGIN IMMEDIATE")
    for record in records:
        db.execute(
            "INSERT OR IGNORE INTO records (external_id, document) VALUES (?, ?)",
            (record["external_id"], json.dumps(record, ensure_ascii=False)),
        )
    db.execute("COMMIT")
    bearer = _token(base_url, client_id, jwk)
    while True:
        db.execute("BEGIN IMMEDIATE")
        begun = db.execute("SELECT batch FROM records WHERE state = 'waiting' AND batch NOT NULL LIMIT 1").fetchone()
        key = begun[0] if begun else secrets.token_urlsafe(18)
        if not begun:
            db.execute(
                "UPDATE records SET batch = ? WHERE seq IN (SELECT seq FROM records WHERE state = 'waiting' LIMIT 500)",
                (key,),
            )
        db.execute("COMMIT")
        rows = db.execute("SELECT seq, document FROM records WHERE batch = ? AND state = 'waiting'", (key,)).fetchall()
        if not rows:
            break
        body = json.dumps({"items": [json.loads(document) for _, document in rows]}, ensure_ascii=False).encode()
        url = f"{base_url}/v1/consumption-records/batch"
        results = _repeatedly("POST", url, jwk, bearer, body, key)["results"]
        db.execute("BEGIN IMMEDIATE")
        for entry in results:
            refused = entry["outcome"] == "refused"
            db.execute(
                "UPDATE records SET state = ?, problem = ? WHERE seq = ?",
                ("refused" if refused else "done", json.dumps(entry.get("problem")), rows[entry["index"]][0]),
            )
        db.execute("COMMIT")
    done = int(db.execute("SELECT count(*) FROM records WHERE state = 'done'").fetchone()[0])
    db.close()
    return done


def receive_an_event(
    url: str,
    jwks: list[dict[str, Any]],
    store: Path,
    handle: Callable[[Any], None],
    headers: Mapping[str, str],
    body: bytes,
) -> int:
    """Verified over the raw bytes, handled once, older ones left alone."""
    given = {name.lower(): value for name, value in headers.items()}
    found = re.fullmatch(r"ofc=(\(([^)]*)\)(.*))", given.get("signature-input", ""))
    signature = re.fullmatch(r"ofc=:([A-Za-z0-9+/=]+):", given.get("signature", ""))
    if found is None or signature is None:
        return 401
    covered = re.findall(r'"([^"]+)"', found[2])
    needed = {"@method", "@authority", "@path", "content-digest", "content-type", "webhook-id", "webhook-timestamp"}
    parameters = dict(re.findall(r';(\w+)="?([^";]*)"?', found[3]))
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    key = next((jwk for jwk in jwks if jwk["kid"] == parameters.get("keyid")), None)
    if not needed <= set(covered) or given.get("content-digest") != digest or key is None:
        return 401
    if parameters.get("tag") != "ofc-event" or abs(time.time() - int(parameters.get("created", "0"))) > 300:
        return 401
    parts = urlsplit(url)
    values = {**given, "@method": "POST", "@authority": parts.netloc, "@path": parts.path}
    lines = [f'"{name}": {values.get(name, "")}' for name in covered] + [f'"@signature-params": {found[1]}']
    try:
        public = Ed25519PublicKey.from_public_bytes(_bytes(key["x"]))
        public.verify(base64.b64decode(signature[1]), "\n".join(lines).encode())
    except InvalidSignature:
        return 401
    event = json.loads(body)
    db = sqlite3.connect(store, isolation_level=None)
    db.execute("CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY)")
    db.execute("CREATE TABLE IF NOT EXISTS subjects (subject TEXT PRIMARY KEY, sequence INTEGER)")
    db.execute("BEGIN IMMEDIATE")
    new = db.execute("INSERT OR IGNORE INTO handled VALUES (?)", (event["id"],)).rowcount
    newer = db.execute(
        "INSERT INTO subjects VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET sequence = excluded.sequence"
        " WHERE excluded.sequence > sequence",
        (event["subject"], int(event["sequence"])),
    ).rowcount
    if new and newer:
        handle(event)
    db.execute("COMMIT")
    db.close()
    return 204


def _token(base_url: str, client_id: str, jwk: Mapping[str, str]) -> str:
    metadata = json.loads(
        urllib.request.urlopen(f"{base_url}/.well-known/oauth-authorization-server", timeout=10).read()
    )
    now = int(time.time())
    header = {"alg": "Ed25519", "typ": "JWT", "kid": _thumbprint(jwk)}
    claims = {
        "iss": client_id, "sub": client_id, "aud": metadata["issuer"], "iat": now, "exp": now + 60,
        "jti": secrets.token_urlsafe(18),
    }  # fmt: skip
    signed = ".".join(_text(json.dumps(part).encode()) for part in (header, claims))
    signature = Ed25519PrivateKey.from_private_bytes(_bytes(jwk["d"])).sign(signed.encode())
    form = {
        "grant_type": "client_credentials", "client_assertion": f"{signed}.{_text(signature)}",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    with urllib.request.urlopen(f"{base_url}/v1/token", urlencode(form).encode(), timeout=10) as answer:
        return str(json.load(answer)["access_token"])


def _repeatedly(method: str, url: str, jwk: Mapping[str, str], bearer: str, body: bytes, key: str | None) -> Any:
    for attempt in range(5):
        headers = {"Authorization": f"Bearer {bearer}", **({"Idempotency-Key": key} if key else {})}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers |= {"Content-Type": "application/json", "Content-Digest": f"sha-256=:{digest}:"}
            headers |= _signature(method, url, jwk, headers)
        request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 500, 502, 503, 504) or attempt == 4:
                raise
            wait = float(error.headers.get("Retry-After") or 0)
        except OSError:
            if attempt == 4:
                raise
            wait = 0.0
        time.sleep(max(wait, random.uniform(0, 0.2 * 2**attempt)))
    raise AssertionError("unreachable")


def _signature(method: str, url: str, jwk: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    parts, now = urlsplit(url), int(time.time())
    values = {name.lower(): value for name, value in headers.items()}
    values |= {"@method": method, "@authority": parts.netloc, "@path": parts.path, "@query": f"?{parts.query}"}
    covered = ["@method", "@authority", "@path", "@query", "authorization"]
    covered += [name for name in ("content-digest", "content-type", "idempotency-key", "if-match") if name in values]
    names = " ".join(f'"{name}"' for name in covered)
    parameters = (
        f'({names});created={now};keyid="{_thumbprint(jwk)}";expires={now + 300};nonce="{secrets.token_urlsafe(16)}"'
    )
    parameters += ';tag="ofc-request"'
    base = "\n".join([*(f'"{name}": {values[name]}' for name in covered), f'"@signature-params": {parameters}'])
    signature = Ed25519PrivateKey.from_private_bytes(_bytes(jwk["d"])).sign(base.encode())
    return {"Signature-Input": f"ofc={parameters}", "Signature": f"ofc=:{base64.b64encode(signature).decode()}:"}


def _thumbprint(jwk: Mapping[str, str]) -> str:
    members = json.dumps({name: jwk[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))
    return _text(hashlib.sha256(members.encode()).digest())


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
