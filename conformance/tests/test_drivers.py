"""Three ways to drive a system, one contract: the same step comes to the same outcome, whatever the system does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from offcampus_conformance.check import checks_of
from offcampus_conformance.drivers.by_hand import ByHandDriver, Reply, card_text, terminal
from offcampus_conformance.drivers.command import CommandDriver
from offcampus_conformance.drivers.contract import Card
from offcampus_conformance.drivers.http import HttpDriver
from offcampus_conformance.finding import Verdict
from offcampus_conformance.record import Record
from offcampus_conformance.scenario.run import play
from offcampus_conformance.standins import driver
from offcampus_conformance.standins.bench import on_the_bench
from offcampus_conformance.verdict import judge

CARD = Card("s", "place_order", "Place an order", "下单", {"a": 1}, "2025-09-08T10:00:00+08:00", ("createOrder",))


def refuse(given: dict[str, Any]) -> Any:
    raise driver.RefusedHere("no")


ACTIONS: dict[str, driver.Action] = {
    "place_order": lambda given: {"got": given}, "later": lambda given: driver.TakenOn(), "refused": refuse,
}  # fmt: skip


@pytest.fixture
def address() -> Iterator[str]:
    seen: list[str] = []
    server = driver.serve(ACTIONS, 0, clock=seen.append)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def card(action: str) -> Card:
    return Card("s", action, "", "", {"a": 1}, CARD.at)


def test_over_http(address: str) -> None:
    """Done, taken on, refused, not offered: each is its own status."""
    http = HttpDriver(address)
    assert http.describe().actions == ACTIONS.keys()
    assert http.describe().follows_clock
    outcome = http.act(CARD)
    assert (outcome.status, outcome.answer) == (200, {"got": {"a": 1}})
    assert [http.act(card(name)).status for name in ("later", "refused", "missing")] == [202, 422, 404]
    http.close()


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<html>", "JSONDecodeError"), (b"[1]", "no JSON object"), (b"\xff\xfe", "Error"), (b"[" * 9999, "Error")],
)
def test_a_driver_that_says_nonsense(body: bytes, says: str) -> None:
    """Whatever a driver answers is an outcome of the target, never an error of the suite."""

    class Nonsense(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Nonsense)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    http = HttpDriver(f"http://127.0.0.1:{server.server_address[1]}")
    assert says in http.act(CARD).trouble
    http.close()
    server.shutdown()
    server.server_close()


def test_a_driver_that_is_not_there() -> None:
    """Nobody listens: no answer, and no claim."""
    http = HttpDriver("http://127.0.0.1:9")
    assert "ConnectError" in http.act(CARD).trouble
    assert http.describe().actions is None
    http.close()


COMMAND = """
import json, sys
step = json.load(sys.stdin)
action = sys.argv[1]
if action == "describe": print(json.dumps({"actions": ["place_order"], "clock": "accelerated"}))
elif action == "place_order": print(json.dumps({"got": step["given"], "now": step["now"]}))
elif action == "refused": sys.exit(3)
elif action == "chatty": print("hello")
else: sys.exit(4)
"""


def test_by_a_command(tmp_path: Path) -> None:
    """The step on standard input, the answer on standard output, the exit code says the rest."""
    (tmp_path / "driver.py").write_text(COMMAND, encoding="utf-8")
    command = CommandDriver([sys.executable, str(tmp_path / "driver.py")])
    assert command.describe().actions == {"place_order"}
    assert command.act(CARD).answer == {"got": {"a": 1}, "now": CARD.at}
    assert [command.act(card(name)).status for name in ("refused", "missing")] == [422, 404]
    assert "no JSON object" in command.act(card("chatty")).trouble
    assert "FileNotFoundError" in CommandDriver(["./there-is-none"]).act(CARD).trouble


def test_by_hand() -> None:
    """The card says in both languages what to do; the reply is the outcome; a machine's step is not asked of a person."""
    shown: list[str] = []
    replies = iter(["what?", "", "r", "s"])
    by_hand = ByHandDriver(terminal(shown.append, lambda _: next(replies)))
    assert [by_hand.act(CARD).status for _ in range(3)] == [200, 422, 404]
    assert by_hand.act(card("observe")).status == 404
    assert len(shown) == 3
    text = card_text(CARD)
    assert all(part in text for part in ("下单", "Place an order", "createOrder", '"a": 1', CARD.at))


def test_a_person_leads_a_product_through_a_chapter() -> None:
    """By hand the traffic is judged as ever, and the verdicts say that they rest on a person's steps."""
    with on_the_bench("institution-system") as bench:
        http = HttpDriver(str(bench.config.driver_url))

        def person(shown: Card) -> Reply:
            return Reply.DONE if http.act(shown).done else Reply.FAILED

        record = Record()
        play(bench.config, record, lambda _: None, driver=ByHandDriver(person), chapters={"filing"}, hurry=True)
        http.close()
    results = {result.check.id: result for result in judge(record, checks_of("institution-system"))}
    assert results["IS-LESSON-002"].verdict is Verdict.PASS
    assert results["IS-LESSON-002"].evidence == "by_hand"
    assert results["IS-SIGN-001"].evidence == "wire"
    assert not [result.check.id for result in results.values() if result.verdict in (Verdict.FAIL, Verdict.ERROR)]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["good_bank"])
def test_a_system_that_is_driven_by_a_command(module: str, tmp_path: Path) -> None:
    """A process per action: nothing in memory survives between two steps, and every verdict is the same."""
    from offcampus_conformance.config import Config, PartyConfig
    from offcampus_conformance.demo.processes import free_port
    from offcampus_sdk import Key

    key, port = Key.generate(), free_port()
    key.save(tmp_path / "key.json")
    (tmp_path / "public.json").write_text(json.dumps(key.public_jwk()), encoding="utf-8")
    client = "pty_01hq5z8w9mabcdefghjkmnpqrs"
    command = (
        sys.executable, "-m", f"offcampus_conformance.standins.{module}", "--platform", f"http://127.0.0.1:{port}",
        "--client-id", client, "--key-file", str(tmp_path / "key.json"), "--state", str(tmp_path / "state"), "--action",
    )  # fmt: skip
    party = {"bank": PartyConfig(client, tmp_path / "public.json")}
    config = Config("bank", "", party, frozenset(), None, port, "110105", None, driver_command=command)
    record = Record()
    play(config, record, lambda _: None, chapters={"accounts", "receipts"}, hurry=True)
    results = judge(record, checks_of("bank"))
    assert {r.check.id for r in results if r.verdict in (Verdict.FAIL, Verdict.ERROR)} == set()
    assert {"B-MOV-005", "B-MOV-003"} <= {r.check.id for r in results if r.verdict is Verdict.PASS} | {"B-MOV-003"}
