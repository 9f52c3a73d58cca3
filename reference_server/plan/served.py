"""T5: the races of T4 over HTTP: a served platform of its own processes, eight to sixteen clients that sign what they send.

The way loses requests and answers: a client then knows nothing, and the model lets the operation have taken its effect
at any moment after, or never.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import orjson
from offcampus_sdk import Key
from offcampus_sdk.errors import ProblemError, TransportTrouble
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.transport import Transport
from offcampus_server.kernel import keyring
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.parties import service as parties
from simulation.house import _SEALING_KEY

from plan.ground import Ground, Site, ground
from plan.jobs import Player
from plan.linear import Event
from plan.measure import Failed, Figures, Options
from plan.races import begin, check_books, judge, warm

OPERATIONS, CLIENTS = 6, (8, 16)
LOST_REQUEST, LOST_ANSWER = 0.02, 0.04
READY_S = 120.0


class Losing(httpx2.HTTPTransport):
    """A way on which some requests and some answers are lost."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, unless it is lost; and bring the answer back, unless that is."""
        roll = self.random.random()
        if request.url.path == "/v1/token" or request.url.path.startswith("/.well-known"):
            roll = 1.0
        if roll < LOST_REQUEST:
            raise httpx2.ReadTimeout("the request is lost", request=request)
        response = super().handle_request(request)
        if roll < LOST_REQUEST + LOST_ANSWER:
            response.read()
            raise httpx2.ReadTimeout("the answer is lost", request=request)
        return response


@dataclass
class Wire:
    """The platform over HTTP, as one client sees it."""

    base_url: str
    keys: dict[str, Key]
    ids: dict[str, str]
    random: Random
    _transports: dict[str, Transport] = field(default_factory=dict)

    def request(
        self, party: str, operation: str, path: dict[str, str], body: Any, if_match: int | None, key: str
    ) -> dict[str, Any]:
        """One request without any repetition. Raises Problem, TimeoutError when nobody knows."""
        if party not in self._transports:
            self._transports[party] = Transport(
                self.base_url,
                self.ids[party],
                self.keys[party],
                http=Losing(self.random),
                policy=RetryPolicy(attempts=1),
            )
        try:
            answer = self._transports[party].call(operation, path=path, body=body, key=key, if_match=if_match)
        except ProblemError as error:
            raise Problem(error.code) from None
        except TransportTrouble:
            raise TimeoutError from None
        found: dict[str, Any] = orjson.loads(answer.body)
        return found

    def close(self) -> None:
        """Close the connections."""
        for transport in self._transports.values():
            transport.close()


def run(options: Options) -> Figures:
    """`count` histories on one served platform. Raises Failed."""
    figures: Counter[str] = Counter()
    with ground(options.server) as made, tempfile.TemporaryDirectory(prefix="offcampus-served-") as folder:
        warm(made)
        site = made.fresh()
        with served(made, site, Path(folder), 1 if options.server is None else 2) as wire:
            for seed in options.seeds:
                figures.update(history(site, wire, seed))
            check_books(site, options.seeds[-1])
        made.drop(site)
    return Figures(figures)


def history(site: Site, wire: Wire, seed: int) -> Counter[str]:
    """One order, many clients at once. Raises Failed."""
    story, start = begin(site, seed)
    order = (story.order_id, story.payment_id)
    events: list[Event] = []
    clients = Random(seed).randint(*CLIENTS)
    ready = threading.Barrier(clients)

    def play(number: int) -> None:
        random = Random(f"{seed}/{number}")
        mine = Wire(wire.base_url, wire.keys, wire.ids, random)
        player = Player(number, site.opened(), mine, *order, random, order[0][-12:])
        ready.wait()
        events.extend(player.play(OPERATIONS))
        mine.close()
        player.site.close()

    threads = [threading.Thread(target=play, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judge(seed, start, events, site, order)
    outcomes = Counter("took" if e.outcome == "ok" else "unknown" if e.unknown else "refused" for e in events)
    return Counter(
        {"histories": 1, "operations": len(events), **{name: outcomes[name] for name in ("took", "refused", "unknown")}}
    )


@contextmanager
def served(ground: Ground, site: Site, folder: Path, workers: int) -> Iterator[Wire]:
    """A server of its own processes on a site's database, and keys for the town's parties."""
    port = _free_port()
    keys = {}
    for name, party_id in site.town.parties.items():
        key = keyring.generate()
        keys[name] = Key(key)
        public = [dict(key.as_dict(private=False))]
        site.platform.storage.write(partial(_replace_keys, party_id=party_id, jwks=public))
    keyring.rotate(folder / "server.json")
    secrets = {"field_keys": [_SEALING_KEY], "lookup_key": (b"l" * 32).hex(), "cursor_key": (b"c" * 32).hex()}
    (folder / "secrets.json").write_text(json.dumps(secrets))
    offset = int((site.clock.now() - datetime.now(UTC)).total_seconds())
    (folder / "clock.json").write_text(json.dumps({"offset_seconds": offset}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OFFCAMPUS_")} | {
        "OFFCAMPUS_DATABASE_URL": site.url, "OFFCAMPUS_ISSUER": f"http://127.0.0.1:{port}",
        "OFFCAMPUS_KEY_FILE": str(folder / "server.json"), "OFFCAMPUS_SECRETS_FILE": str(folder / "secrets.json"),
        "OFFCAMPUS_DEVELOPMENT": "1", "OFFCAMPUS_CLOCK_FILE": str(folder / "clock.json"), "OFFCAMPUS_LOG_LEVEL": "error",
    }  # fmt: skip
    command = [sys.executable, "-m", "offcampus_server", "serve", "--port", str(port), "--workers", str(workers)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wire = Wire(f"http://127.0.0.1:{port}", keys, site.town.parties, Random(0))
            _wait_ready(wire.base_url, folder / "log")
            yield wire
        finally:
            process.terminate()
            process.wait(20)


def _replace_keys(work: Work, party_id: str, jwks: list[dict[str, Any]]) -> None:
    parties.replace_keys(work.connection, party_id, jwks)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_ready(base_url: str, log: Path) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        try:
            if httpx2.get(f"{base_url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise Failed(0, f"the server is not ready after {READY_S:.0f} s: {log.read_text()[-500:]}")
