"""A stand-in and the suite on one bench, in one process: for tests, and for `--target standin:…`."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offcampus_sdk import Key
from offcampus_sdk.retries import RetryPolicy

from offcampus_conformance.config import Config, PartyConfig
from offcampus_conformance.standins import driver
from offcampus_conformance.standins.faults.bank_faults import FAULTS as BANK_FAULTS
from offcampus_conformance.standins.faults.kit import Fault, Witness
from offcampus_conformance.standins.faults.vendors import FAULTS as VENDOR_FAULTS
from offcampus_conformance.standins.good_bank import GoodBank
from offcampus_conformance.standins.good_vendor import GoodVendor
from offcampus_conformance.standins.patience import HURRIED

CLIENT = "pty_01hq5z8w9mabcdefghjkmnpqrs"


System = GoodVendor | GoodBank


@dataclass(frozen=True)
class Bench:
    """A stand-in that is ready, and how the suite reaches it."""

    config: Config
    witness: Witness


FAULTS: dict[str, tuple[Fault, ...]] = {"institution-system": VENDOR_FAULTS, "bank": BANK_FAULTS}
PARTY = {"institution-system": "vendor", "bank": "bank"}


def build(profile: str, fault: str, witness: Witness) -> Callable[..., System]:
    """Makes a stand-in, good or with a named fault. Raises KeyError for a name that there is not."""
    good: Callable[..., System] = GoodVendor if profile == "institution-system" else _bank(GoodBank)
    if not fault:
        return good
    kind = {entry.name: entry for entry in FAULTS[profile]}[fault].build(witness)
    return kind if profile == "institution-system" else _bank(kind)


def _bank(kind: Callable[..., GoodBank]) -> Callable[..., System]:
    return lambda platform, client_id, key, state, policy: kind(platform, client_id, key, state, None, policy=policy)


@contextmanager
def on_the_bench(
    profile: str = "institution-system", fault: str = "", *, kind: Callable[..., System] | None = None,
    seed: int = 1, policy: RetryPolicy = HURRIED,
) -> Iterator[Bench]:  # fmt: skip
    """A stand-in behind a driver over HTTP, for as long as the block lasts."""
    witness = Witness()
    made = kind or build(profile, fault, witness)
    key = Key.generate()
    with tempfile.TemporaryDirectory(prefix="offcampus-bench-") as name:
        folder = Path(name)
        (folder / "public.json").write_text(json.dumps(key.public_jwk()), encoding="utf-8")
        port = _free_port()
        system = made(f"http://127.0.0.1:{port}", CLIENT, key, folder / "state", policy=policy)
        hook = system.webhook if isinstance(system, GoodVendor) else None
        server = driver.serve(system.actions(), 0, hook, system.follow_clock)
        address = f"http://127.0.0.1:{server.server_address[1]}"
        if isinstance(system, GoodVendor):
            system.address = f"{address}/webhooks"
        party = {PARTY[profile]: PartyConfig(CLIENT, folder / "public.json")}
        config = Config(profile, "", party, frozenset(), address, port, "110105", None, seed=seed)
        try:
            yield Bench(config, witness)
        finally:
            server.shutdown()
            server.server_close()
            system.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
