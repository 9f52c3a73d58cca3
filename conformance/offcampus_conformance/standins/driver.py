"""The driver contract: how the suite asks a system to carry out a step in its own product.

    POST /actions/<name> with a JSON object -> 200 and a JSON object
                                            -> 422 {"refused": {…}} when the platform refused the step
                                            -> 404 for an action that the system does not offer
    GET /                                   -> the actions that the system offers

A vendor implements this small contract in front of its product; the stand-ins use the server below.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offcampus_sdk.errors import OffcampusError, ProblemError

Action = Callable[[dict[str, Any]], Any]
Hook = Callable[[Mapping[str, str], bytes], tuple[int, str]]


def serve(actions: Mapping[str, Action], port: int, webhook: Hook | None = None) -> ThreadingHTTPServer:
    """Offer actions on 127.0.0.1; deliveries of events go to `webhook` at /webhooks. Port 0 takes a free one.

    One action at a time: a stand-in is one small system with one set of books.
    """
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/webhooks" and webhook is not None:
                status, text = webhook(dict(self.headers.items()), body)
                self._answer(status, {"said": text})
                return
            action = actions.get(self.path.removeprefix("/actions/"))
            if action is None:
                self._answer(404, {"error": f"no action at {self.path}; offered: {', '.join(sorted(actions))}"})
                return
            with turn:
                self._answer(*_carry_out(action, body))

        def do_GET(self) -> None:
            self._answer(200, {"actions": sorted(actions)})

        def _answer(self, status: int, document: Any) -> None:
            payload = json.dumps(document, ensure_ascii=False).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            """Nothing: steps are seen in the traffic."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def _carry_out(action: Action, body: bytes) -> tuple[int, Any]:
    try:
        return 200, action(json.loads(body or b"{}"))
    except ProblemError as error:
        return 422, {"refused": dict(error.problem)}
    except OffcampusError as error:
        return 502, {"trouble": f"{type(error).__name__}: {error}"}
