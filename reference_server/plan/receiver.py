"""A webhook receiver in a process of its own, so that it outlives whoever is killed; it may fail on demand.

What it takes it appends to a file before it answers 2xx: an event that it has acknowledged is in the file.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

SLOW_S = 0.05


@dataclass(frozen=True)
class Moods:
    """How often it does not simply take an event, in thousandths."""

    fails: int = 0
    slow: int = 0
    redirects: int = 0
    gone: int = 0


@dataclass(frozen=True)
class Taken:
    """One attempt as the receiver saw it."""

    id: str
    subject: str
    version: int
    status: int


@dataclass(frozen=True)
class Receiver:
    """Where it listens, and what it has seen."""

    url: str
    journal: Path

    def seen(self) -> list[Taken]:
        """Every attempt, in order."""
        lines = self.journal.read_text(encoding="utf-8").splitlines()
        return [Taken(*json.loads(line)) for line in lines]


@contextmanager
def receiver(folder: Path, moods: Moods = Moods(), seed: int = 0) -> Iterator[Receiver]:
    """A receiver that is gone afterwards."""
    journal = folder / f"journal-{seed}"
    journal.touch()
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=_listen, args=(theirs, journal, moods, seed), daemon=True)
    process.start()
    try:
        yield Receiver(f"http://127.0.0.1:{mine.recv()}/hooks", journal)
    finally:
        process.kill()
        process.join()


def _listen(end: Any, journal: Path, moods: Moods, seed: int) -> None:
    random = Random(seed)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = _mood(random, moods)
            with journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps([body["id"], body["subject"], int(body["sequence"]), status]) + "\n")
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    end.send(server.server_address[1])
    server.serve_forever()


def _mood(random: Random, moods: Moods) -> int:
    roll = random.randrange(1000)
    for chance, status in ((moods.fails, 500), (moods.redirects, 302), (moods.gone, 410)):
        if roll < chance:
            return status
        roll -= chance
    if roll < moods.slow:
        time.sleep(SLOW_S)
    return 204
