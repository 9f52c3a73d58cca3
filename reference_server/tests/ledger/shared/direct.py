"""A world without a door: requests reach the pipeline as they would, but unsigned and without HTTP, for long runs.

The contract is checked, keys are kept, answers are validated: only tokens, signatures and WSGI are left out.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, fields
from functools import cache
from typing import Any
from urllib.parse import urlencode

import orjson
from offcampus_server.kernel.problems import Problem
from offcampus_server.pipeline import Platform, Received
from simulation.house import SimulatedPlatform
from world import World


@dataclass(frozen=True)
class Told:
    """An answer, as a test client would give it."""

    status_code: int
    json: Any

    def get_data(self, as_text: bool = True) -> str:
        return orjson.dumps(self.json).decode()


@dataclass
class DirectParty:
    """A party that is believed."""

    platform: Platform
    client_id: str

    def get(self, path: str, **query: Any) -> Told:
        return self._send("GET", path, {}, b"", urlencode(query))

    def post(self, path: str, body: Any = None, **how: Any) -> Told:
        return self.write("POST", path, body, **how)

    def write(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, if_match: int | None = None
    ) -> Told:  # fmt: skip
        headers = {"content-type": "application/json", "idempotency-key": key or secrets.token_urlsafe(12)}
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        return self._send(method, path, headers, b"" if body is None else orjson.dumps(body), "")

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes, query: str) -> Told:
        operation_id, named = _route(method, path)
        received = Received(method, path, query, {**headers, "x-party": self.client_id}, body, "req")
        try:
            answer = self.platform.serve(operation_id, named, received)
        except Problem as problem:
            return Told(problem.status, problem.to_json(request_id="req", language="zh-CN"))
        return Told(answer.status, answer.body)


def direct(world: World) -> World:
    """The same platform, with parties that need no door."""
    given = world.platform
    platform = SimulatedPlatform(**{field.name: getattr(given, field.name) for field in fields(given)})
    _routes.cache_clear()
    for operation_id, bound in platform.operations.items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", bound.operation.path)
        _routes().append((bound.operation.method, re.compile(pattern), operation_id))
    parties: dict[str, Any] = {
        name: DirectParty(platform, party.client_id) for name, party in world.parties.items()
    }  # fmt: skip
    return World(platform, world.folder, parties, world.http, dict(world.ids), world._numbers)


@cache
def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    return []


@cache
def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    for known, pattern, operation_id in _routes():
        if known == method and (match := pattern.fullmatch(path)) is not None:
            return operation_id, match.groupdict()
    raise LookupError(f"{method} {path}")
