"""Before anything is filed: what the target says of itself, and how the parties sign in."""

from __future__ import annotations

import secrets
import time

import httpx2
from offcampus_spec.security import roles

from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.signature import client_assertion
from offcampus_conformance.wire import ASSERTION_TYPE, Actor

NARROW = ("event:read", "institution:read", "order:read", "account:read", "instruction:read", "course:read")
ROLES = {
    "vendor": "institution_system", "rival": "institution_system", "bank": "bank", "other_bank": "bank",
    "guardian_app": "guardian_app", "authority": "authority", "far_authority": "authority",
}  # fmt: skip


def discover(day: Day) -> None:
    """What anybody may read."""
    day.act("getCapabilities", "vendor")
    metadata = day.act("getServerMetadata", "vendor")
    day.act("getJwks", "vendor")
    day.act("getSchema", "vendor", where={"name": "order"})
    day.act("getProblemType", "vendor", where={"code": "auth.scope"})
    day.wire.send("method.wrong", "DELETE", "/v1/capabilities", facts={"codes": ["method.not_allowed"]})
    day.wire.send("path.unknown", "GET", "/v1/nothing-of-this-name", facts={"codes": ["resource.not_found"]})
    issuer = (metadata.json() or {}).get("issuer")
    for actor in day.actors.values():
        actor.issuer = issuer or actor.issuer


def authenticate(day: Day) -> None:
    """Every party signs in, and again for one scope only; then the same with one thing wrong."""
    for name, actor in day.actors.items():
        actor.authenticate(f"token.{name}")
        for scope in [scope for scope in NARROW if scope in roles()[ROLES[name]]][:2]:
            actor.authenticate(f"token.{name}.{scope.replace(':', '_')}", scope=scope)
    vendor, now = day.vendor, int(time.time())
    kept = vendor.token
    vendor.authenticate("token.wrong_audience", aud=vendor.issuer + "/v1/token")
    vendor.authenticate("token.audience_list", aud=[vendor.issuer, "https://elsewhere.example"])
    vendor.authenticate("token.expired", iat=now - 600, exp=now - 540)
    vendor.authenticate("token.too_long", iat=now, exp=now + 3600)
    vendor.authenticate("token.early", iat=now + 3600, exp=now + 3660)
    vendor.authenticate("token.another_s_name", iss=day.actors["rival"].client_id)
    vendor.authenticate("token.another_s_subject", sub=day.actors["rival"].client_id)
    vendor.authenticate("token.short_jti", jti="zz")
    stranger = Actor("stranger", vendor.client_id, day.actors["rival"].key, day.wire, vendor.issuer)
    stranger.authenticate("token.another_s_key")
    unknown = Actor("unknown", "pty_" + "0" * 26, vendor.key, day.wire, vendor.issuer)
    unknown.authenticate("token.unknown_client")
    jti = secrets.token_urlsafe(16)
    vendor.authenticate("token.jti_first", jti=jti)
    vendor.authenticate("token.jti_again", jti=jti)
    vendor.token = kept
    day.act("issueToken", "vendor", _form(vendor))
    if kept is None:
        raise Unfinished("the vendor got no token")


def _form(actor: Actor) -> bytes:
    assertion = client_assertion(actor.key, actor.client_id, actor.issuer, now=int(time.time()))
    form = {
        "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion,
    }  # fmt: skip
    return str(httpx2.QueryParams(form)).encode()
