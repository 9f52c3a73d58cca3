"""The server side of the driver contract (`spec/openapi/driver.yaml`): how a system takes steps from the suite.

    GET  /v1/driver              what the system is, the actions that it offers, and whether it follows the clock
    POST /v1/actions/<name>      a JSON object -> 200 and a JSON object; 422 when the platform or the system refused;
                                 404 for an action that is not offered; 502 when something went wrong

The business time of a step comes in the header `Offcampus-Now`. A vendor implements this small contract in front of its
product; the stand-ins use the server below.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from offcampus_sdk.errors import OffcampusError, ProblemError

Action = Callable[[dict[str, Any]], Any]
Hook = Callable[[Mapping[str, str], bytes], tuple[int, str]]
Clock = Callable[[str], None]


class System(Protocol):
    """A system behind a driver."""

    def actions(self) -> dict[str, Action]:
        """What it offers."""

    def follow_clock(self, now: str) -> None:
        """Take a business time for its own."""


class TakenOn:
    """What an action returns that is not finished: the system will send by itself what follows from it."""


class RefusedHere(Exception):
    """The system itself refuses a step, before anything is sent: the message says why."""


def serve(
    actions: Mapping[str, Action], port: int, webhook: Hook | None = None, clock: Clock | None = None
) -> ThreadingHTTPServer:
    """Offer actions on 127.0.0.1; deliveries of events go to `webhook` at /webhooks. Port 0 takes a free one.

    One action at a time: a stand-in is one small system with one set of books.
    """
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/webhooks" and webhook is not None:
                status, text = webhook(dict(self.headers.items()), body)
                self._answer(status, {"said": text})
                return
            name = self.path.removeprefix("/v1").removeprefix("/actions/").replace("-", "_")
            action = actions.get(name)
            if action is None:
                self._answer(404, {"error": f"no action at {self.path}; offered: {', '.join(sorted(actions))}"})
                return
            with turn:
                if clock is not None and (now := self.headers.get("Offcampus-Now")):
                    clock(now)
                self._answer(*carry_out(action, body))

        def do_GET(self) -> None:
            self._answer(200, description(actions, follows_clock=clock is not None))

        def _answer(self, status: int, document: Any) -> None:
            payload = json.dumps(document, ensure_ascii=False).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Nothing: steps are seen in the traffic."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def description(actions: Mapping[str, Action], *, follows_clock: bool) -> dict[str, Any]:
    """What a driver says of itself."""
    clock = "accelerated" if follows_clock else "real"
    return {"product": "stand-in", "version": "1", "actions": sorted(actions), "clock": clock}


def carry_out(action: Action, body: bytes) -> tuple[int, Any]:
    """One action as status and answer of the driver's contract."""
    try:
        answer = action(json.loads(body or b"{}"))
        return (202, {}) if isinstance(answer, TakenOn) else (200, answer)
    except RefusedHere as reason:
        problem = {"type": "about:blank", "title": "refused by the system", "status": 422, "detail": str(reason),
                   "code": "system.refused", "request_id": "none"}  # fmt: skip
        return 422, {**problem, "refused": problem}
    except ProblemError as error:
        return 422, {**error.problem, "status": 422, "refused": dict(error.problem)}
    except OffcampusError as error:
        return 502, {"trouble": f"{type(error).__name__}: {error}"}
