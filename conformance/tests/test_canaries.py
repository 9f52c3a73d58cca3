"""Canaries: one unique secret or datum of an invented child in every place where such things travel, and then a search
of every file and every line that the suite gives out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mini_profile import Mini
from offcampus_conformance import output
from offcampus_conformance.cli import main
from offcampus_conformance.record import Record
from offcampus_conformance.signature import Key
from offcampus_conformance.web import pages
from offcampus_conformance.web.session import Event, Session
from offcampus_conformance.wire import Actor, Wire

PUPIL = {
    "external_id": "pup-1", "name": "古丽·金丝雀𠮷", "id_type": "resident_id", "id_number": "110105201605012997",
    "born_on": "2016-05-01",
    "guardians": [{"external_id": "g-1", "name": "艾比·金丝雀", "relation": "father", "phone": "13987654321"}],
}  # fmt: skip
STAFF = {"external_id": "stf-1", "name": "贾金丝雀", "id_number": "110105199003072998", "role": "teaching"}
CONTACT = {"name": "校名可见", "contact": {"name": "联系金丝雀", "phone": "01012345678"},
           "legal_person": {"representative_name": "法人金丝雀"}}  # fmt: skip
SECRETS = {
    "access token": "canary-access-token-0001", "cookie": "canary-cookie-0002", "private key": "canary-private-key-0003",
    "webhook secret": "whsec_canary0004",
}  # fmt: skip
PERSONAL = {
    "pupil's name": PUPIL["name"], "pupil's number": PUPIL["id_number"], "guardian's name": "艾比·金丝雀",
    "guardian's phone": "13987654321", "teacher's name": "贾金丝雀", "teacher's number": "110105199003072998",
    "contact's name": "联系金丝雀", "contact's phone": "01012345678", "representative's name": "法人金丝雀",
}  # fmt: skip


@contextmanager
def echo() -> Iterator[str]:
    """A target that gives everything back wherever it can: as JSON, as text, in headers, in an error's words."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
            if self.path == "/v1/token":
                self._say(200, json.dumps({"access_token": SECRETS["access token"], "token_type": "Bearer"}))
            elif self.path.startswith("/text"):
                self._say(500, f"<pre>Traceback: cannot store {sent} {self.headers.get('Authorization')}</pre>")
            elif self.path.startswith("/problem"):
                detail = f"a pupil {PUPIL['name']} ({PUPIL['id_number']}), phone 13987654321, exists already"
                self._say(409, json.dumps({"code": "x.y", "detail": detail, "given": sent}, ensure_ascii=False))
            else:
                self._say(201, sent)

        do_GET = do_POST

        def _say(self, status: int, text: str) -> None:
            payload = text.encode()
            self.send_response(status)
            self.send_header("Set-Cookie", f"session={SECRETS['cookie']}")
            self.send_header("X-Echo", SECRETS["access token"])
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def recorded() -> tuple[Record, str]:
    """Traffic that holds every canary in every place, and the private key that signed it."""
    record, key = Record(), Key.generate()
    with echo() as address, Wire(address, record) as wire:
        actor = Actor("vendor", "pty_1", key, wire, address)
        actor.authenticate("token.vendor")
        bodies = (PUPIL, STAFF, CONTACT, {"secret": SECRETS["webhook secret"], "jwk": {"d": SECRETS["private key"]}})
        for kind in ("json", "text", "problem"):
            for number, body in enumerate(bodies):
                actor.write(f"{kind}.{number}", "POST", f"/{kind}/x", body, operation_id="noSuchOperation", wrong="x")
        query = f"/json/x?name={PUPIL['name']}&id_number={PUPIL['id_number']}&access_token={SECRETS['access token']}"
        actor.get("query", query, operation_id="noSuchOperation", wrong="x")
        actor.write(
            "form", "POST", "/json/x", raw=b"client_assertion=aa.bb.cc", operation_id="noSuchOperation", wrong="x"
        )
    for label in ("create.good", "create.bad", "read"):
        found = record.find("problem.0")
        assert found is not None
        from dataclasses import replace

        record.add(replace(found, label=label))
    return record, key.jwk(private=True)["d"]


@pytest.mark.parametrize("what", ["files", "terminal", "web"])
def test_no_canary_sings(mini: Mini, tmp_path: Path, what: str) -> None:
    """No secret and no datum of a person stands in any file, on the terminal, or on a page."""
    record, private = recorded()
    report = mini.report(record)
    output.write(report, tmp_path, mini.vendor)
    if what == "files":
        texts = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
        assert set(texts) >= {"report.json", "report.html", "evidence.har", "junit.xml", "badge.svg", "report.jws"}
    elif what == "terminal":
        texts = {"judge": CliRunner().invoke(main, ["judge", str(tmp_path / "evidence.har")]).output}
    else:
        session = Session(None, tmp_path, report=report, plan=report.plan)  # type: ignore[arg-type]
        found = [page for id in ("X-ONE-001", "X-ONE-002") if (page := pages.check(session, id, "t", "zh"))]
        texts = {"check": "".join(found), "row": "".join(pages.row(Event(result=r)) for r in report.results)}
    for name, text in texts.items():
        assert text
        plain = text.encode().decode("unicode_escape", "ignore") if name.endswith(("har", "json")) else ""
        for kind, canary in {**SECRETS, **PERSONAL, "signing key": private, "assertion": "aa.bb.cc"}.items():
            assert str(canary) not in text, f"{kind} in {name}"
            assert str(canary) not in plain, f"{kind} (escaped) in {name}"


def test_what_is_public_stays_readable() -> None:
    """An institution's name is no secret: redaction takes what it must and leaves the rest."""
    record, _ = recorded()
    kept = record.find("json.2")
    assert kept is not None
    assert "校名可见" in (kept.response_body or "")
