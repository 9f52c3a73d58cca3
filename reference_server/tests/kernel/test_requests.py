"""Bad input: each kind gets its own problem, nothing changes, and there is never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from world import World, problem

DEEP = b'{"a":' * 40 + b"1" + b"}" * 40
VERY_DEEP = b"[" * 100_000 + b"]" * 100_000


def body(**changes: Any) -> bytes:
    return json.dumps({"external_id": "x", **changes}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "json.malformed"), (b'{"a":1,}', "json.malformed"), (b"nul", "json.malformed"),
        (b'{"a":1} x', "json.malformed"), (b"{'a':1}", "json.malformed"), (b'{"a":01}', "json.malformed"),
        (b'{"a":+1}', "json.malformed"), (b'{"a":1_000}', "json.malformed"), (b'{"a":\xef\xbc\x91}', "json.malformed"),
        (b'{"a":"\t"}', "json.malformed"),
        (b'{"a":1,"a":2}', "json.duplicate_key"), (b'{"a":{"b":1,"b":1}}', "json.duplicate_key"),
        (b'{"a":NaN}', "json.number"), (b'{"a":Infinity}', "json.number"), (b'{"a":-Infinity}', "json.number"),
        (b'{"a":1.0}', "json.number"), (b'{"a":1e2}', "json.number"), (b'{"a":1e400}', "json.number"),
        (b'{"a":-0}', "json.number"), (b'{"a":9007199254740992}', "json.number"), (b'{"a":' + b"9" * 5000 + b"}", "json.number"),
        (b"\xef\xbb\xbf{}", "json.encoding"), ('{"a":1}'.encode("utf-16"), "json.encoding"),
        ('{"a":1}'.encode("utf-16-le"), "json.encoding"), ('{"a":"名"}'.encode("gbk"), "json.encoding"),
        (b'{"a":"\xff"}', "json.encoding"), (b'{"a":"\xed\xa0\x80"}', "json.encoding"),
        (b'{"a":"\\ud83d"}', "json.surrogate"), (b'{"\\udc00":1}', "json.surrogate"),
        (DEEP, "json.depth"), (VERY_DEEP, "json.depth"),
    ],
)  # fmt: skip
def test_malformed_json(shared_world: World, raw: bytes, code: str) -> None:
    """Every kind of malformed body is a 400 with its name."""
    problem(shared_world.vendor.post("/v1/institutions", raw=raw), 400, code)
    assert shared_world.count("institutions") == 0


def test_whole_surrogate_pairs_are_a_character(shared_world: World) -> None:
    """An escaped pair is one character and no fault."""
    answer = shared_world.vendor.post("/v1/institutions", raw=b'{"name":"\\ud842\\udfb7"}')
    problem(answer, 422, "schema.invalid")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/json5", ""])
def test_other_media_types(shared_world: World, media_type: str) -> None:
    """Only the contract's media type is read."""
    answer = shared_world.vendor.post("/v1/institutions", raw=body(), headers={"Content-Type": media_type})
    assert answer.json["code"] in ("request.media_type", "signature.invalid")
    assert answer.status_code in (415, 401)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/institutions?colour=red", 400, "request.query"), ("/v1/institutions?limit=1&limit=1", 400, "request.query"),
        ("/v1/institutions?limit=0", 400, "request.query"), ("/v1/institutions?limit=501", 400, "request.query"),
        ("/v1/institutions?limit=ten", 400, "request.query"), ("/v1/institutions?limit=%EF%BC%91", 400, "request.query"),
        ("/v1/institutions?region_code=%FF", 400, "request.query"), ("/v1/institutions?limit=-1", 400, "request.query"),
        ("/v1/institutions?filter[x]=1", 400, "request.query"), ("/v1/institutions?external_id=a b", 400, "request.query"),
        ("/v1/institutions/%ff", 400, "request.path"), ("/v1/institutions/%ed%a0%80", 400, "request.path"),
        ("/v1/institutions/名", 400, "request.path"), ("/v1/institutions/ins_1", 404, "resource.not_found"),
        ("/v1/institutions/ins_" + "I" * 26, 404, "resource.not_found"), ("/v1/nothing", 404, "resource.not_found"),
        ("/v2/institutions", 404, "resource.not_found"), ("/v1/institutions?cursor=AAAA", 400, "cursor.invalid"),
    ],
)  # fmt: skip
def test_paths_and_queries(shared_world: World, path: str, status: int, code: str) -> None:
    """Unknown, repeated and wrong parameters, and paths that are not plain, are named."""
    problem(shared_world.vendor.get(path), status, code)


def test_other_methods(shared_world: World) -> None:
    """405 says which methods there are."""
    answer = shared_world.vendor.write("DELETE", "/v1/institutions")
    problem(answer, 405, "method.not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_large_bodies(shared_world: World) -> None:
    """A body beyond the limit is refused before it is parsed."""
    problem(shared_world.vendor.post("/v1/institutions", raw=b"x" * (2 * 1024 * 1024 + 1)), 413, "request.too_large")


def test_every_fault_is_told_at_once_with_its_place(shared_world: World) -> None:
    """One answer lists all faults: what is missing, unknown, wrong, in both languages where a format says why."""
    sent = shared_world.institution_document(uscc="52110105000000001X", colour="red", delivery="post")
    del sent["name"]
    sent["region_code"] = "１１０１０５"
    found = problem(shared_world.vendor.post("/v1/institutions", sent), 422, "schema.invalid")["violations"]
    codes = {(entry["pointer"], entry["code"]) for entry in found}
    assert {("/name", "schema.required"), ("/colour", "schema.unknown_member"), ("/delivery", "schema.enum"),
            ("/region_code", "identifier.alphabet")} <= codes  # fmt: skip
    [why] = [entry for entry in found if entry["code"] == "identifier.alphabet"]
    assert why["message_zh"]
    assert why["message_en"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_problems_speak_the_language_asked_for(shared_world: World, language: str) -> None:
    """zh-CN is the default; codes are never translated."""
    answer = shared_world.vendor.get("/v1/institutions?colour=red", headers={"Accept-Language": language})
    assert answer.json["title"].isascii() == (language == "en")
    assert answer.headers["Content-Language"] == language


def test_personal_values_are_not_repeated(shared_world: World) -> None:
    """A wrong name or number is pointed at, never quoted."""
    shared_world.open_institution()
    sent = shared_world.pupil_document(name="小明\u0007", id_number="11010519491231002x")
    answer = shared_world.vendor.post("/v1/pupils", sent)
    text = answer.get_data(as_text=True)
    problem(answer, 422, "schema.invalid", "/name")
    assert "小明" not in text
    assert "11010519491231002" not in text
