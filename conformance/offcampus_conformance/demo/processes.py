"""The processes of the demonstration: started, waited for, killed without warning, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

PATIENCE_S = 60.0


class NotReady(Exception):
    """A process did not come up; the message names its log."""


@dataclass
class Process:
    """One party's process; its output goes to a log file."""

    name: str
    command: Sequence[str]
    log: Path
    ready_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    _running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting. It gets a process group of its own, so that it can be killed whole."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **self.environment}
            )

    def kill(self) -> None:
        """kill -9, with all its children: nothing is flushed, nobody says goodbye."""
        if self._running is not None and self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()

    def stop(self) -> None:
        """End it in good order, or by force after five seconds."""
        if self._running is None or self._running.poll() is not None:
            return
        os.killpg(self._running.pid, signal.SIGTERM)
        try:
            self._running.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def pid(self) -> int | None:
        """The process id, when it runs."""
        return self._running.pid if self._running is not None else None

    def wait_ready(self) -> None:
        """Wait until it answers. Raises NotReady."""
        if not self.ready_url:
            return
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if httpx2.get(self.ready_url, timeout=2, trust_env=False).status_code < 500:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise NotReady(f"{self.name} did not come up; look at {self.log}")


@dataclass
class Cast:
    """All processes of a demonstration in one folder."""

    folder: Path
    platform: str
    clients: Mapping[str, str]
    server: Process
    worker: Process
    vendor: Process
    bank: Process

    def everybody(self) -> tuple[Process, ...]:
        """The processes, the platform first."""
        return self.server, self.worker, self.vendor, self.bank

    def key_file(self, party: str) -> Path:
        """A party's private key."""
        return self.folder / "keys" / f"{party}.json"

    @property
    def clock_file(self) -> Path:
        """What shifts everybody's business clock."""
        return self.folder / "clock.json"


def prepare(folder: Path, region: str, database_url: str | None) -> Cast:
    """Set up a platform in a folder and describe its processes; nothing is started yet. Raises NotReady."""
    port, vendor_port, bank_port = (free_port() for _ in range(3))
    more = ["--database-url", database_url] if database_url else []
    _run("offcampus_server", "sandbox", str(folder), "--port", str(port), "--region", region, *more)
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    clients = _clients(folder / "conformance.toml")
    platform = f"http://127.0.0.1:{port}"
    serve = ("serve", "--port", str(port))
    return Cast(
        folder,
        platform,
        clients,
        _server("server", folder, environment, serve, f"{platform}/readyz"),
        _server("worker", folder, environment, ("work", "--every", "0.2"), ""),
        _stand_in("good_vendor", "vendor", folder, platform, clients["vendor"], vendor_port),
        _stand_in("good_bank", "bank", folder, platform, clients["bank"], bank_port),
    )


def control_url(process: Process) -> str:
    """A stand-in's control port."""
    return process.ready_url.removesuffix("/")


def verify_ledger(cast: Cast) -> str:
    """What the platform's own replay of the ledger says. Raises NotReady with it when a fen is out of place."""
    environment = json.loads((cast.folder / "environment.json").read_text(encoding="utf-8"))
    return _run("offcampus_server", "ledger", environment=environment).strip()


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server(name: str, folder: Path, environment: Mapping[str, str], words: Sequence[str], ready: str) -> Process:
    command = [sys.executable, "-m", "offcampus_server", *words]
    return Process(name, command, folder / f"{name}.log", ready, environment)


def _stand_in(module: str, party: str, folder: Path, platform: str, client_id: str, port: int) -> Process:
    command = [
        sys.executable, "-m", f"offcampus_conformance.standins.{module}", "--platform", platform,
        "--client-id", client_id, "--key-file", str(folder / "keys" / f"{party}.json"),
        "--state", str(folder / party), "--port", str(port), "--clock-file", str(folder / "clock.json"),
    ]  # fmt: skip
    return Process(party, command, folder / f"{party}.log", f"http://127.0.0.1:{port}/")


def _clients(path: Path) -> dict[str, str]:
    import tomllib

    parties = tomllib.loads(path.read_text(encoding="utf-8"))["parties"]
    return {name: str(entry["client_id"]) for name, entry in parties.items()}


def _run(module: str, *words: str, environment: Mapping[str, str] | None = None) -> str:
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode != 0:
        raise NotReady(f"{' '.join(words[:2])} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
