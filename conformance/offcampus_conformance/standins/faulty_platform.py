"""A proxy that makes a sound platform faulty in one named way, to see a red report before having one.

The signatures of requests name the address that the suite speaks to, so the proxy stands at the platform's own address
and the platform at another: serve a sandbox that was prepared for port 8080 on port 8081, and run

    python -m offcampus_conformance.standins.faulty_platform --port 8080 --upstream http://127.0.0.1:8081 --fault NAME
"""

from __future__ import annotations

import argparse
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx2

from offcampus_conformance.standins.platform_faults import faults
from offcampus_conformance.standins.platform_faults.fault import Alter, Answer, Memory
from offcampus_conformance.standins.platform_faults.over_record import seen_on_the_wire

HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"})


class FaultyPlatform(ThreadingHTTPServer):
    """Passes each request on, and each answer through the fault."""

    daemon_threads = True

    def __init__(self, port: int, upstream: str, alter: Alter) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.upstream, self.alter = upstream.rstrip("/"), alter
        self.memory: Memory = {}
        self.active: list[str] = []
        """Where the fault did something: method and path."""
        self.lock = threading.Lock()
        self.http = httpx2.Client(timeout=30, follow_redirects=False, trust_env=False)

    def server_close(self) -> None:
        """Close both sides."""
        super().server_close()
        self.http.close()


class _Handler(BaseHTTPRequestHandler):
    server: FaultyPlatform
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        address = self.server.upstream + self.path
        got = self.server.http.request(self.command, address, headers=headers, content=raw or None)
        kept = {name.lower(): value for name, value in got.headers.items() if name.lower() not in HOP_BY_HOP}
        parts = urlsplit(self.path)
        sound = Answer(got.status_code, kept, got.text)
        seen = seen_on_the_wire(self.command, parts.path, parts.query, headers, raw, sound)
        with self.server.lock:
            changed = self.server.alter(seen, self.server.memory)
            if changed is not None:
                self.server.active.append(f"{seen.method} {seen.path}")
        self._answer(changed or sound)

    def _answer(self, answer: Answer) -> None:
        body = b"" if answer.status in (204, 304) else answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the suite records what passes."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--fault", required=True, choices=sorted(faults()))
    given = parser.parse_args()
    fault = faults()[given.fault]
    print(f"{fault.name}: {fault.title} Named by {fault.killed_by}.")
    server = FaultyPlatform(given.port, given.upstream, fault.alter)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
