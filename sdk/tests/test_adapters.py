"""One receiver behind four frameworks: the same deliveries get the same answers, over the raw bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.webhooks import Receiver

PATH = "/webhooks"
URL = f"https://vendor.example{PATH}"
Post = Callable[[dict[str, str], bytes], int]


def by_wsgi(receiver: Receiver) -> Post:
    from offcampus_sdk.adapters.wsgi import wsgi

    application = wsgi(receiver)

    def post(headers: dict[str, str], body: bytes) -> int:
        environ: dict[str, Any] = {"HTTP_" + n.upper().replace("-", "_"): value for n, value in headers.items()}
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        environ["CONTENT_TYPE"] = headers["Content-Type"]
        said: list[str] = []
        application(environ, lambda status, _: said.append(status))  # type: ignore[arg-type,return-value]
        return int(said[0][:3])

    return post


def by_fastapi(receiver: Receiver) -> Post:
    from fastapi import FastAPI
    from offcampus_sdk.adapters.asgi import asgi

    app = FastAPI()
    app.mount(PATH, asgi(receiver))

    def post(headers: dict[str, str], body: bytes) -> int:
        async def go() -> int:
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="https://vendor.example") as client:
                return int((await client.post(f"{PATH}/", headers=headers, content=body)).status_code)

        return asyncio.run(go())

    return post


def by_flask(receiver: Receiver) -> Post:
    from flask import Flask
    from offcampus_sdk.adapters.flask import flask_view

    app = Flask("vendor")
    app.post(PATH)(flask_view(receiver))
    client = app.test_client()
    return lambda headers, body: client.post(PATH, headers=headers, data=body).status_code


def by_django(receiver: Receiver) -> Post:
    from django.conf import settings
    from django.test import RequestFactory

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
    from offcampus_sdk.adapters.django import django_view

    view, factory = django_view(receiver), RequestFactory()

    def post(headers: dict[str, str], body: bytes) -> int:
        kind = headers["Content-Type"]
        others = {name: value for name, value in headers.items() if name != "Content-Type"}
        request = factory.post(PATH, data=body, content_type=kind, headers=others)
        return int(view(request).status_code)

    return post


@pytest.mark.parametrize("framework", [by_wsgi, by_fastapi, by_flask, by_django], ids=lambda found: found.__name__[3:])
def test_a_receiver_in_each_framework(framework: Callable[[Receiver], Post], tmp_path: Path) -> None:
    """Taken once and again, forged refused, a handler's failure told as 500 without its text, too large refused."""
    platform, handled, failing = FakePlatform(), [], [False]

    def handle(event: Any) -> None:
        if failing[0]:
            raise OSError("SECRET")
        handled.append(event.id)

    for number in range(2):
        platform.client().orders.transport.call("createOrder", body={**example("order"), "external_id": f"o-{number}"})
    receiver = Receiver(URL, platform.jwks, tmp_path / "hooks.db", handle)
    post = framework(receiver)
    (headers, body), second = platform.deliveries(URL)
    assert [post(headers, body), post(headers, body)] == [204, 204]
    assert post(headers, body + b" ") == 401
    failing[0] = True
    assert post(*second) == 500
    failing[0] = False
    assert post(*second) == 204
    assert len(handled) == 2
    assert post(headers, b"x" * 1_000_001) == 413
    receiver.close()
