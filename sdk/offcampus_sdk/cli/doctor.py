"""`offcampus doctor`: what stands between this machine and the platform, one line a check, each with what to do.

Checks go from here to there: settings, key, address, clock, token, a read of one's own, versions. One that cannot be
made because an earlier one failed says so; nothing is reported as well that was not looked at.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path
from typing import Literal

import httpx2
from offcampus_spec import SPEC_VERSION

from offcampus_sdk.cli import settings
from offcampus_sdk.cli.settings import Settings, SettingsError
from offcampus_sdk.client import Client
from offcampus_sdk.errors import OffcampusError, ProblemError
from offcampus_sdk.transport import TIMEOUT

SKEW_S_MAX = 10
"""What the platform accepts of a signature from the future (the standard's security profile)."""


@dataclass(frozen=True)
class Diagnosis:
    """One check: how it ended, what was seen, and what to do about it."""

    name: str
    outcome: Literal["ok", "wrong", "unclear"]
    seen: str
    to_do: str = ""

    def __str__(self) -> str:
        line = f"{self.outcome:<8}{self.name}: {self.seen}"
        return f"{line}\n        -> {self.to_do}" if self.to_do else line


def examine(
    config: Path, *, http: httpx2.BaseTransport | None = None, now: Callable[[], float] = time.time
) -> Iterator[Diagnosis]:
    """Every check in turn, until one fails that the rest stand on.

    Args:
        http: another transport, for tests.
    """
    try:
        chosen = settings.load(config)
        key = chosen.signer()
    except SettingsError as error:
        yield Diagnosis("settings", "wrong", str(error), "run offcampus init, or mend the file")
        return
    yield Diagnosis("settings", "ok", f"{chosen.base_url} as {chosen.client_id or '(no client_id yet)'}")
    yield _key_file(chosen.key)
    if not (yield from _reach(chosen, http, now)):
        return
    if not chosen.client_id:
        todo = "send registration.json to the platform's operator and write the client_id you get into the settings"
        yield Diagnosis("registration", "wrong", "platform.client_id is empty", todo)
        return
    with Client(chosen.base_url, chosen.client_id, key, http=http) as client:
        yield from _identity(client)
        yield from _versions(client)


def _key_file(path: Path) -> Diagnosis:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    open_to_others = [file.name for file in files if file.stat().st_mode & 0o077]
    if open_to_others:
        todo = f"chmod 600 {' '.join(open_to_others)}"
        return Diagnosis("key", "wrong", f"others on this machine can read {', '.join(open_to_others)}", todo)
    return Diagnosis("key", "ok", f"{len(files)} private key(s), for their owner only")


def _reach(
    chosen: Settings, http: httpx2.BaseTransport | None, now: Callable[[], float]
) -> Generator[Diagnosis, None, bool]:  # fmt: skip
    address = f"{chosen.base_url.rstrip('/')}/.well-known/oauth-authorization-server"
    try:
        with httpx2.Client(transport=http, timeout=TIMEOUT, trust_env=False) as wire:
            began = time.perf_counter()
            answer = wire.get(address)
            took = time.perf_counter() - began
    except httpx2.TransportError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            todo = "the certificate is not trusted here: check the address, then the machine's certificate store"
            yield Diagnosis("reachability", "wrong", f"TLS: {type(cause).__name__}", todo)
        else:
            todo = "check the address, DNS, proxy and firewall from this machine"
            yield Diagnosis("reachability", "wrong", type(error).__name__, todo)
        return False
    try:
        issuer = str(answer.json()["issuer"])
    except (ValueError, KeyError, TypeError):
        todo = "platform.base_url is the address before /v1, without a path"
        yield Diagnosis("reachability", "wrong", f"status {answer.status_code}, no platform of this standard", todo)
        return False
    yield Diagnosis("reachability", "ok", f"{issuer} answered in {took * 1000:.0f} ms")
    if (said := answer.headers.get("date")) is None:
        yield Diagnosis("clock", "unclear", "the answer has no Date to compare with")
    else:
        skew = now() - parsedate_to_datetime(said).timestamp()
        fine = abs(skew) <= SKEW_S_MAX
        todo = "" if fine else "synchronise this machine's clock (NTP); until then signatures are corrected by the SDK"
        seen = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the platform"
        yield Diagnosis("clock", "ok" if fine else "wrong", seen, todo)
    return True


def _identity(client: Client) -> Iterator[Diagnosis]:
    try:
        institutions = len(list(client.institutions.list(limit=100)))
    except ProblemError as error:
        todo = {
            "auth.client_assertion": "is this the registered key, and this the client_id it was registered under?",
            "auth.scope": "this party's role may not read institutions: for a bank that is as it should be",
        }.get(error.code, str(error.problem.get("remedy", "")))
        yield Diagnosis("identity", "wrong", f"{error.code} [request {error.request_id}]", todo)
        return
    except OffcampusError as error:
        yield Diagnosis("identity", "wrong", str(error), "try again; then ask the platform's operator")
        return
    yield Diagnosis("identity", "ok", f"known to the platform, acting for {institutions} institution(s)")


def _versions(client: Client) -> Iterator[Diagnosis]:
    try:
        found = client.capabilities.get()
    except OffcampusError as error:
        yield Diagnosis("standard", "wrong", str(error).splitlines()[0], "try again; then ask the platform's operator")
        return
    ours, theirs = SPEC_VERSION.split("."), found.spec_version.split(".")
    same = ours[:2] == theirs[:2]
    todo = "" if same else f"install the SDK of standard {'.'.join(theirs[:2])}"
    seen = f"platform {found.spec_version}, SDK {SPEC_VERSION}"
    yield Diagnosis("standard", "ok" if same else "wrong", seen, todo)
    yield from _rules(found.rules.plugins)


def _rules(in_force: list[dict[str, str]]) -> Iterator[Diagnosis]:
    there = {str(item.get("distribution")): str(item.get("version")) for item in in_force}
    here = {name: _installed(name) for name in there}
    if not any(here.values()):
        yield Diagnosis("rules", "unclear", "none installed here: orders are judged by the platform alone")
        return
    other = [
        f"{name} {here[name] or 'not installed'} here, {version} there"
        for name, version in there.items()
        if here[name] != version
    ]
    todo = "pip install " + " ".join(f"{name}=={version}" for name, version in there.items()) if other else ""
    yield Diagnosis("rules", "wrong" if other else "ok", "; ".join(other) or "the same versions as the platform", todo)


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
