"""What a platform may do otherwise: lawful, unusual, and no finding. Each must leave every verdict as it was.

The same kind of function as a fault; over a record or live in a proxy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from offcampus_conformance.standins.platform_faults.fault import Alter, Answer, Memory, Seen, edited, with_headers

VARIATIONS: dict[str, Alter] = {}


def variation(alter: Alter) -> Alter:
    """Declare a variation by its function's name."""
    VARIATIONS[alter.__name__] = alter
    return alter


def _again(seen: Seen, write: Callable[[Any], str]) -> Answer | None:
    body = seen.body()
    return None if body is None else Answer(seen.answer.status, seen.answer.headers, write(body))


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _turned(value[name]) for name in reversed(value)}
    return [_turned(item) for item in value] if isinstance(value, list) else value


@variation
def members_in_another_order(seen: Seen, memory: Memory) -> Answer | None:
    """Objects have no order."""
    return _again(seen, lambda body: json.dumps(_turned(body), ensure_ascii=False))


@variation
def members_sorted(seen: Seen, memory: Memory) -> Answer | None:
    """By name."""
    return _again(seen, lambda body: json.dumps(body, ensure_ascii=False, sort_keys=True))


@variation
def printed_with_spaces(seen: Seen, memory: Memory) -> Answer | None:
    """JSON may be indented."""
    return _again(seen, lambda body: json.dumps(body, ensure_ascii=False, indent=2))


@variation
def escaped_to_ascii(seen: Seen, memory: Memory) -> Answer | None:
    """Every character beyond ASCII as an escape, pairs of halves too."""
    return _again(seen, lambda body: json.dumps(body, ensure_ascii=True))


@variation
def a_line_break_at_the_end(seen: Seen, memory: Memory) -> Answer | None:
    """White space around a value says nothing."""
    return Answer(seen.answer.status, seen.answer.headers, f"{seen.answer.body}\n") if seen.body() is not None else None


@variation
def times_in_utc(seen: Seen, memory: Memory) -> Answer | None:
    """Another offset for the same instant."""

    def moved(found: re.Match[str]) -> str:
        return f'"{_in_utc(found[1])}"'

    text = re.sub(r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+08:00)"', moved, seen.answer.body)
    return Answer(seen.answer.status, seen.answer.headers, text) if text != seen.answer.body else None


def _in_utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


@variation
def whole_seconds(seen: Seen, memory: Memory) -> Answer | None:
    """Times without fractions, where they are told."""
    text = re.sub(r'(T[0-9]{2}:[0-9]{2}:[0-9]{2})\.[0-9]+(\+08:00")', r"\1\2", seen.answer.body)
    return Answer(seen.answer.status, seen.answer.headers, text) if text != seen.answer.body else None


@variation
def a_charset_in_the_media_type(seen: Seen, memory: Memory) -> Answer | None:
    """application/json; charset=utf-8."""
    given = seen.answer.headers.get("content-type", "")
    return with_headers(seen, content_type=f"{given}; charset=utf-8") if "json" in given and ";" not in given else None


@variation
def media_types_in_capitals(seen: Seen, memory: Memory) -> Answer | None:
    """Parameters of a media type may be written with spaces."""
    given = seen.answer.headers.get("content-type", "")
    return with_headers(seen, content_type=f"{given} ; v=1") if "json" in given and ";" not in given else None


@variation
def more_headers(seen: Seen, memory: Memory) -> Answer | None:
    """Headers that nobody asked for."""
    return with_headers(seen, server_timing="db;dur=3", x_frame_options="DENY", strict_transport_security="max-age=1")


@variation
def caching_refused_at_length(seen: Seen, memory: Memory) -> Answer | None:
    """no-store among other directives."""
    given = seen.answer.headers.get("cache-control", "")
    return with_headers(seen, cache_control="private, no-store, max-age=0") if given == "no-store" else None


@variation
def rate_limits_told(seen: Seen, memory: Memory) -> Answer | None:
    """RateLimit headers on every answer."""
    return with_headers(seen, ratelimit_policy='"default";q=600;w=60', ratelimit='"default";r=599;t=60')


@variation
def locations_with_a_host(seen: Seen, memory: Memory) -> Answer | None:
    """Location may be a whole address."""
    given = seen.answer.headers.get("location", "")
    return with_headers(seen, location=f"https://platform.example{given}") if given.startswith("/") else None


@variation
def other_words_in_problems(seen: Seen, memory: Memory) -> Answer | None:
    """Titles and details are for people."""
    if seen.accepted or not isinstance(seen.body(), dict) or "code" not in (seen.body() or {}):
        return None
    return edited(seen, lambda body: body | {"detail": f"{body.get('title')}."})


@variation
def more_violations(seen: Seen, memory: Memory) -> Answer | None:
    """A problem may tell more than one thing that is wrong."""
    told = (seen.body() or {}).get("violations") if seen.code == "schema.invalid" else None
    return (
        edited(seen, lambda body: body | {"violations": [*told, {"code": "schema.hint", "pointer": "/"}]})
        if told
        else None
    )


@variation
def violations_turned_round(seen: Seen, memory: Memory) -> Answer | None:
    """Violations have no order."""
    told = (seen.body() or {}).get("violations") if seen.code else None
    return edited(seen, lambda body: body | {"violations": told[::-1]}) if told and len(told) > 1 else None


@variation
def instances_of_problems(seen: Seen, memory: Memory) -> Answer | None:
    """RFC 9457's `instance`."""
    return edited(seen, lambda body: body | {"instance": f"urn:problem:{body['request_id']}"}) if seen.code else None


@variation
def challenges_with_a_realm(seen: Seen, memory: Memory) -> Answer | None:
    """WWW-Authenticate with parameters."""
    return with_headers(seen, www_authenticate='Bearer realm="ofc"') if seen.answer.status == 401 else None


@variation
def more_keys(seen: Seen, memory: Memory) -> Answer | None:
    """A key set with the next key in it already."""
    if seen.name != "getJwks" or not seen.accepted:
        return None
    next_key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "next"}
    return edited(seen, lambda body: body | {"keys": [*body["keys"], {**body["keys"][0], **next_key}]})


@variation
def more_profiles(seen: Seen, memory: Memory) -> Answer | None:
    """A platform that implements optional features too."""
    if seen.name != "getCapabilities" or not seen.accepted:
        return None
    return edited(seen, lambda body: body | {"features": [*body["features"], "x-own"]})


@variation
def shorter_tokens(seen: Seen, memory: Memory) -> Answer | None:
    """Tokens that live for two minutes."""
    return (
        edited(seen, lambda body: body | {"expires_in": 120}) if seen.name == "issueToken" and seen.accepted else None
    )


@variation
def other_cursors(seen: Seen, memory: Memory) -> Answer | None:
    """Cursors are opaque and may be long."""
    body = seen.body()
    cursor = body.get("next_cursor") if isinstance(body, dict) and seen.accepted else None
    if not isinstance(cursor, str):
        return None
    text = seen.answer.body.replace(cursor, f"{cursor}.{'x' * 40}")
    link = seen.answer.headers.get("link")
    headers = dict(seen.answer.headers) | ({"link": link.replace(cursor, f"{cursor}.{'x' * 40}")} if link else {})
    return Answer(seen.answer.status, headers, text)


@variation
def other_etags(seen: Seen, memory: Memory) -> Answer | None:
    """Any strong tag that changes with the version."""
    etag = seen.answer.headers.get("etag")
    return with_headers(seen, etag=f'"v{etag[1:-1]}-7f3a"') if etag else None


@variation
def request_ids_of_another_form(seen: Seen, memory: Memory) -> Answer | None:
    """A request id is any text."""
    memory["number"] = memory.get("number", 0) + 1
    return edited(seen, lambda body: body | {"request_id": f"{memory['number']:032x}"}) if seen.code else None
