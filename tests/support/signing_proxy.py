"""A platform that anybody may call: a proxy that signs in, signs each request and passes it on.

Contract fuzzing is about the shapes of requests and answers; tokens and signatures are added here, by the party whose
role holds the operation's scope. Started by `.ci/fuzz`; prints its address when it is ready and serves until it is ended.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
from in_process import InProcess, sandbox, with_rounds
from offcampus_conformance.config import Config
from offcampus_conformance.platform_scenario import begin
from offcampus_conformance.platform_scenario.opening import ROLES
from offcampus_conformance.played_platform.contract import match
from offcampus_conformance.record import Record
from offcampus_conformance.signature import content_digest, sign
from offcampus_conformance.wire import Actor, Wire
from offcampus_server.app import create_app
from offcampus_spec.security import roles

TOKEN_S = 200
SPEAKERS = ("authority", "vendor", "bank", "guardian_app")


class SigningProxy(ThreadingHTTPServer):
    """Serves the platform to whoever comes; counts what it answered."""

    daemon_threads = True

    def __init__(self, actors: dict[str, Actor], http: httpx2.Client, base_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.actors, self.http, self.base_url = actors, http, base_url
        self.signed_in: dict[str, float] = {}
        self.lock = threading.Lock()
        self.broken: list[str] = []
        """Requests that were answered 5xx."""

    def speaker(self, scope: str) -> Actor:
        """A party whose role holds the scope, signed in."""
        name = next(name for name in SPEAKERS if scope in roles()[ROLES[name]])
        if time.monotonic() - self.signed_in.get(name, -TOKEN_S) >= TOKEN_S:
            self.actors[name].authenticate(f"token.{name}.{secrets.token_hex(4)}")
            self.signed_in[name] = time.monotonic()
        return self.actors[name]


class _Handler(BaseHTTPRequestHandler):
    server: SigningProxy
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        dropped = (
            "host",
            "content-length",
            "connection",
            "accept-encoding",
            "signature",
            "signature-input",
            "authorization",
        )
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        with self.server.lock:
            got = self.server.http.request(
                self.command, self.server.base_url + self.path, headers=self._signed(headers, raw), content=raw or None
            )
        if got.status_code >= 500:
            self.server.broken.append(f"{self.command} {self.path}: {got.status_code} {got.text[:300]}")
            print(self.server.broken[-1], file=sys.stderr, flush=True)
        self.send_response(got.status_code)
        for name, value in got.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        if got.status_code not in (204, 304):
            self.send_header("Content-Length", str(len(got.content)))
        self.end_headers()
        self.wfile.write(got.content)

    def _signed(self, headers: dict[str, str], raw: bytes) -> dict[str, str]:
        matched = match(self.command, self.path.partition("?")[0])
        if matched is None or matched.operation.scope is None:
            return headers
        actor = self.server.speaker(matched.operation.scope)
        headers["Authorization"] = f"Bearer {actor.token}"
        if not matched.operation.signed:
            return headers
        digest = {"Content-Digest": content_digest(raw)} if raw else {}
        given = {**headers, **digest}
        return given | sign(actor.key, self.command, self.server.base_url + self.path, given, created=int(time.time()))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _pass

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: schemathesis reports what it sent."""


@contextmanager
def proxied(folder: Path) -> Iterator[SigningProxy]:
    """The reference server behind a signing proxy."""
    with sandbox(folder) as (platform, config):
        app = with_rounds(create_app(platform=platform).wsgi_app, platform)
        client = httpx2.Client(transport=InProcess(app), trust_env=False)
        with Wire(config.base_url, Record(), http=client) as wire:
            server = SigningProxy(_actors(config, wire), client, config.base_url)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                server.server_close()
                thread.join()


def _actors(config: Config, wire: Wire) -> dict[str, Actor]:
    return begin(config, wire).actors


def main() -> None:
    """Serve; the address is the first line of the output, and the exit code says whether anything broke."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder, proxied(Path(folder) / "sandbox") as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        sys.stdin.read()
        sys.exit(1 if server.broken else 0)


if __name__ == "__main__":
    main()
