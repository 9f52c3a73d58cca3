"""The web face's transport: who may ask, what is answered where. Pages are made in `pages`.

- only this machine: it listens on 127.0.0.1, and a request that names another host is refused (DNS rebinding);
- what changes anything is a POST with this process's token, from this origin;
- nothing is loaded from outside, and no script but the page's own (Content-Security-Policy).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from offcampus_conformance.web import pages
from offcampus_conformance.web.session import Busy, Session

LONGEST_FORM = 64 * 1024
HEARTBEAT_S = 10.0
FILES = {
    "report.html": "text/html; charset=utf-8",
    "report.json": "application/json",
    "report.ndjson": "application/x-ndjson",
    "report.jws": "application/jose",
    "evidence.har": "application/json",
    "junit.xml": "application/xml",
    "badge.svg": "image/svg+xml",
}
Form = dict[str, list[str]]


@dataclass(frozen=True)
class Reply:
    """An answer: status, body, headers."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class WebFace:
    """The web face of one session; `serve` blocks until `stop`."""

    def __init__(self, session: Session, port: int = 0) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(24)
        face = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                face._get(self)

            def do_POST(self) -> None:
                face._post(self)

            def log_message(self, *_: Any) -> None:
                """Nothing: the run's own record is the log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Where to point the browser."""
        return f"http://127.0.0.1:{self.port}/"

    def serve(self) -> None:
        """Answer until `stop`."""
        self._server.serve_forever(0.1)

    def stop(self) -> None:
        """Stop answering; for whoever serves in another thread."""
        self._server.shutdown()
        self.close()

    def close(self) -> None:
        """Let go of the port, and end the run that is going on."""
        self.session.stop()
        self._server.server_close()

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        if not self._from_here(handler):
            _send(handler, Reply(403, b"this address answers its own machine only\n"))
            return
        parts = urlsplit(handler.path)
        if parts.path == "/events":
            self._stream(handler)
            return
        language = pages.language(handler.headers.get("Cookie", ""))
        _send(handler, self._page(parts.path, parse_qs(parts.query), language))

    def _page(self, path: str, query: Form, language: str) -> Reply:
        session = self.session
        if path == "/":
            return _html(pages.start(session, self.token, language))
        if path == "/run":
            return _html(pages.watch(session, self.token, language))
        if path == "/language":
            chosen = "en" if query.get("to") == ["en"] else "zh"
            cookie = f"lang={chosen}; SameSite=Strict; Path=/; HttpOnly"
            return Reply(303, headers={"Location": _inside(query.get("back", ["/"])[0]), "Set-Cookie": cookie})
        if path.startswith("/check/"):
            page = pages.check(session, path.removeprefix("/check/"), self.token, language)
            return _html(page) if page is not None else Reply(404, b"no such check in this run\n")
        if path.startswith("/files/"):
            return self._file(path.removeprefix("/files/"))
        return Reply(404, b"no such page\n")

    def _file(self, name: str) -> Reply:
        file = self.session.folder / name
        if name not in FILES or self.session.report is None or not file.is_file():
            return Reply(404, b"no such file yet\n")
        shown = {} if name == "report.html" else {"Content-Disposition": f'attachment; filename="{name}"'}
        return Reply(200, file.read_bytes(), {"Content-Type": FILES[name], **shown})

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        length = handler.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_FORM:
            handler.close_connection = True
            _send(handler, Reply(413, b"a form of at most 64 KiB\n"))
            return
        form = parse_qs(handler.rfile.read(int(length)).decode("utf-8", "replace"))
        told = form.get("token", [""])[0].encode()
        if not self._from_here(handler) or not secrets.compare_digest(told, self.token.encode()):
            _send(handler, Reply(403, b"the form is not from this page: load it again\n"))
            return
        actions: dict[str, Callable[[Form], Reply]] = {"/run": self._start, "/stop": self._stop, "/step": self._step}
        action = actions.get(urlsplit(handler.path).path)
        _send(handler, action(form) if action is not None else Reply(404, b"no such action\n"))

    def _start(self, form: Form) -> Reply:
        only = [word for text in form.get("only", []) for word in text.split()]
        seed = form.get("seed", [""])[0]
        with suppress(Busy):  # the page that follows shows the run that is going on
            self.session.start(only, fail_fast="fail_fast" in form, seed=int(seed) if seed.isdigit() else None)
        return Reply(303, headers={"Location": "/run"})

    def _stop(self, form: Form) -> Reply:
        self.session.stop()
        return Reply(303, headers={"Location": "/run"})

    def _step(self, form: Form) -> Reply:
        number = form.get("number", [""])[0]
        self.session.answer(int(number) if number.isdigit() else -1, form.get("reply", [""])[0])
        return Reply(303, headers={"Location": "/run"})

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        """Server-sent events: each row as it comes, and `end` when the run is over; the page reloads on `card`."""
        handler.send_response(200)
        for name, value in {**_safe(), "Content-Type": "text/event-stream", "Connection": "close"}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.close_connection = True
        said = handler.headers.get("Last-Event-ID") or parse_qs(urlsplit(handler.path).query).get("after", ["0"])[0]
        seen = int(said) if said.isdigit() else 0
        card = self.session.card_number
        try:
            while True:
                events = self.session.wait(seen, HEARTBEAT_S, card)
                for event in events:
                    seen += 1
                    handler.wfile.write(f"id: {seen}\nevent: row\ndata: {pages.row(event)}\n\n".encode())
                if not self.session.running or self.session.card_number != card:
                    handler.wfile.write(b"event: end\ndata: .\n\n")
                    return
                handler.wfile.write(b": still here\n\n")
                handler.wfile.flush()
        except OSError:
            return  # the page was closed

    def _from_here(self, handler: BaseHTTPRequestHandler) -> bool:
        hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        origin = handler.headers.get("Origin")
        from_page = origin is None or origin in {f"http://{host}" for host in hosts}
        return handler.headers.get("Host", "") in hosts and from_page


def _safe() -> dict[str, str]:
    # `no-referrer` would make a browser send `Origin: null` with our own forms.
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self';"
        f" script-src 'nonce-{pages.NONCE}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
    }  # fmt: skip


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response(reply.status)
    headers = {"Content-Type": "text/plain; charset=utf-8", **_safe(), **reply.headers}
    for name, value in {**headers, "Content-Length": str(len(reply.body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(reply.body)


def _html(text: str) -> Reply:
    return Reply(200, text.encode("utf-8", "backslashreplace"), {"Content-Type": "text/html; charset=utf-8"})


def _inside(path: str) -> str:
    """A path of this site; anything that could lead elsewhere is the start page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
