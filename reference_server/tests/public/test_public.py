"""What anybody may ask: what a refusal means, the schemas, the capabilities; and how every 401 says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from offcampus_spec import schemas
from offcampus_spec.problems import problems


def test_every_refusal_can_be_looked_up(shared_world: Any) -> None:
    """M-QA.7: the page of each code of the catalogue says what it means and what to do, in both languages."""
    for code, kind in problems().items():
        page = shared_world.http.get(f"/v1/problems/{code}")
        assert page.status_code == 200, code
        assert (page.json["status"], page.json["remedy_zh"]) == (kind.status, kind.remedy_zh)
    assert shared_world.http.get("/v1/problems/no.such_code").status_code == 404


def test_every_schema_is_served(shared_world: Any) -> None:
    """M-QA.7: what is served is what was published."""
    for name in schemas.names():
        assert shared_world.http.get(f"/v1/schemas/{name}").json == schemas.load(name), name


@pytest.mark.parametrize("authorization", [None, "Basic eA==", "Bearer ", "Bearer x", "Bearer a.b.c"])
def test_every_401_says_how(shared_world: Any, authorization: str | None) -> None:
    """RFC 9110, section 15.5.2."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = shared_world.http.get("/v1/institutions", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_query_is_percent_encoded(shared_world: Any) -> None:
    """Raw bytes in a query mean something else to every intermediary: refused, not guessed at."""
    raw = shared_world.http.open("/v1/public/institutions", environ_overrides={"QUERY_STRING": "name=\xe5\x85\xac"})
    assert (raw.status_code, raw.json["code"]) == (400, "request.query")
