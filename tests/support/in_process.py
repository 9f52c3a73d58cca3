"""The reference server under the suite, without sockets: the same WSGI application, many runs in little time.

A sandbox is prepared once per process and copied for each run. Over HTTP the same is done by `served`.
"""

from __future__ import annotations

import dataclasses
import io
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from offcampus_conformance import platform_scenario
from offcampus_conformance.check import Check, checks_of
from offcampus_conformance.config import Config, load
from offcampus_conformance.platform_scenario import PARTS, Part
from offcampus_conformance.record import Record
from offcampus_conformance.run import select
from offcampus_conformance.standins.platform_faults.fault import Alter, Answer
from offcampus_conformance.standins.platform_faults.over_record import seen_on_the_wire
from offcampus_conformance.verdict import Result, judge
from offcampus_conformance.wire import Wire
from offcampus_server.app import create_app, make_platform
from offcampus_server.pipeline import Platform
from offcampus_server.sandbox import Sandbox, prepare
from offcampus_server.workers.loop import run_once
from werkzeug.test import run_wsgi_app

PORT = 8080
Wsgi = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Judged:
    """What came of one run."""

    results: dict[str, Result]
    record: Record
    ends: dict[str, int]
    """The number of exchanges at the end of each part of the scenario, by its name."""


class InProcess(httpx2.WSGITransport):
    """A transport that calls the application, as a server would: with the raw path."""

    def __init__(self, app: Wsgi) -> None:
        self._raw = threading.local()

        def with_raw_path(environ: dict[str, Any], start: Any) -> Any:
            path = (
                environ["PATH_INFO"].encode().decode("latin-1")
            )  # PEP 3333: bytes as Latin-1, which the transport forgets
            return app({**environ, "PATH_INFO": path, "RAW_URI": self._raw.path}, start)

        super().__init__(app=with_raw_path)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._raw.path = request.url.raw_path.decode()
        return super().handle_request(request)


def with_rounds(app: Wsgi, platform: Platform) -> Wsgi:
    """The application with a worker's round in front of each look at the log: a platform has workers."""

    def serve(environ: dict[str, Any], start: Any) -> Any:
        if environ["PATH_INFO"] == "/v1/log/checkpoint":
            run_once(platform)
        return app(environ, start)

    return serve


def altered(alter: Alter, active: list[str]) -> Callable[[Wsgi], Wsgi]:
    """A faulty or unusual platform: each answer passes through `alter`; `active` hears where it did something."""
    memory: dict[str, Any] = {}

    def around(app: Wsgi) -> Wsgi:
        def serve(environ: dict[str, Any], start: Any) -> Any:
            raw = environ["wsgi.input"].read()
            body, status, headers = run_wsgi_app(app, {**environ, "wsgi.input": io.BytesIO(raw)}, buffered=True)
            text = b"".join(body).decode()
            given = {name.lower(): value for name, value in headers}
            seen = seen_on_the_wire(
                environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), _headers(environ), raw,
                Answer(int(status.split()[0]), given, text),
            )  # fmt: skip
            answer = alter(seen, memory)
            if answer is not None:
                active.append(f"{seen.method} {seen.path}")
            told = answer or seen.answer
            kept = [(name, value) for name, value in told.headers.items() if name != "content-length"]
            start(f"{told.status} Answer", kept)
            return [told.body.encode()]

        return serve

    return around


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    named = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return named | {"content-type": environ.get("CONTENT_TYPE", "")}


@cache
def _template() -> Sandbox:
    folder = Path(tempfile.mkdtemp(prefix="offcampus-template-")) / "sandbox"
    return prepare(folder, PORT, "110105")


@contextmanager
def sandbox(
    folder: Path, database_url: str | None = None, *, validate: bool = True
) -> Iterator[tuple[Platform, Config]]:
    """A platform in its own copy of the sandbox, and the suite's configuration for it."""
    if database_url is None:
        made = _template()
        shutil.copytree(made.folder, folder)
        settings = dataclasses.replace(
            made.settings, database_url=f"sqlite:///{folder / 'platform.db'}", key_file=folder / "keys" / "server.json",
            secrets_file=folder / "keys" / "secrets.json", clock_file=folder / "clock.json",
        )  # fmt: skip
    else:
        settings = prepare(folder, PORT, "110105", database_url).settings
    platform = make_platform(dataclasses.replace(settings, validate_answers=validate))
    try:
        yield platform, load(folder / "conformance.toml")
    finally:
        platform.storage.engine.dispose()


def carry_out(
    config: Config, app: Wsgi, wanted: frozenset[str] | None = None, parts: Sequence[tuple[str, Part]] = PARTS
) -> tuple[Record, dict[str, int]]:
    """The scenario against an application; the record, and how many exchanges there were at each part's end."""
    record = Record()
    record.wanted = wanted
    ends: dict[str, int] = {}
    names = [name for name, _ in parts]

    def progress(name: str) -> None:
        if name in names and names.index(name) > 0:
            ends[names[names.index(name) - 1]] = len(record)

    client = httpx2.Client(transport=InProcess(app), trust_env=False)
    with Wire(config.base_url, record, http=client) as wire:
        platform_scenario.lead(platform_scenario.begin(config, wire), record, progress, parts)
    ends[names[-1]] = len(record)
    return record, ends


def run(
    folder: Path, database_url: str | None = None, *, only: Sequence[str] | None = None, validate: bool = True,
    parts: Sequence[tuple[str, Part]] = PARTS, around: Callable[[Wsgi], Wsgi] = lambda app: app,
) -> Judged:  # fmt: skip
    """Carry the scenario out and judge it.

    Args:
        only: ids or patterns of checks; None: all.
        around: wraps the application, e.g. in a fault.
    """
    checks: tuple[Check, ...] = select(checks_of("platform"), only)
    wanted = None if only is None else frozenset(check.id for check in checks)
    with sandbox(folder, database_url, validate=validate) as (platform, config):
        app: Wsgi = around(with_rounds(create_app(platform=platform).wsgi_app, platform))
        record, ends = carry_out(config, app, wanted, parts)
    return Judged({result.check.id: result for result in judge(record, checks, config.claims)}, record, ends)
