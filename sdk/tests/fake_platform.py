"""A fake platform for the SDK's tests: answers tokens, records every request, and fails on demand."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

Handler = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class FakePlatform:
    """`answers` are given in order, the last one for ever; an exception in it is raised (a lost answer)."""

    answers: list[Any] = field(default_factory=list)
    token_answers: list[Any] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/.well-known/oauth-authorization-server":
            return httpx2.Response(200, json={"issuer": "https://platform.example"})
        if request.url.path == "/v1/token":
            return self._token(request)
        self.requests.append(request)
        return _next(self.answers)

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = dict(httpx2.QueryParams(request.content.decode()))
        payload = form["client_assertion"].split(".")[1]
        self.assertions.append(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
        if self.token_answers:
            return _next(self.token_answers)
        return httpx2.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": ""})


def _next(answers: list[Any]) -> httpx2.Response:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, Exception):
        raise answer
    # A response that was read once belongs to the client that read it.
    return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


def problem(status: int, code: str, **more: Any) -> httpx2.Response:
    body = {"type": "t", "title": code, "status": status, "code": code, "request_id": "req_1", "violations": [], **more}
    return httpx2.Response(status, json=body)
