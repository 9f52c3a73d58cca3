"""A platform to try things on: database, keys, parties of every role, a shiftable clock, and the suite's file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from offcampus_rules import load_ruleset

from offcampus_server.fresh_secrets import write_secrets
from offcampus_server.kernel import keyring
from offcampus_server.kernel.access import region_prefix
from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.unit_of_work import Storage, Work
from offcampus_server.migrations import upgrade
from offcampus_server.parties import service as parties
from offcampus_server.settings import Secrets, Settings


@dataclass(frozen=True)
class Sandbox:
    """A prepared folder."""

    folder: Path
    settings: Settings
    client_ids: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """The settings as environment variables."""
        return {
            "OFFCAMPUS_DATABASE_URL": self.settings.database_url,
            "OFFCAMPUS_ISSUER": self.settings.issuer,
            "OFFCAMPUS_KEY_FILE": str(self.settings.key_file),
            "OFFCAMPUS_SECRETS_FILE": str(self.settings.secrets_file),
            "OFFCAMPUS_DEVELOPMENT": "1",
            "OFFCAMPUS_CLOCK_FILE": str(self.settings.clock_file),
            "OFFCAMPUS_VALIDATE_ANSWERS": "1",
            "OFFCAMPUS_LOG_LEVEL": "warning",
        }

    def command(self, *words: str) -> str:
        """A command line that runs the server's command here."""
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.environment().items())
        return f"{settings} offcampus-server {shlex.join(words)}"

    def key_file(self, party: str) -> Path:
        """The private key of a party."""
        return self.folder / "keys" / f"{party}.json"


def prepare(folder: Path, port: int, region: str, database_url: str | None = None) -> Sandbox:
    """Prepare a folder. Raises ValueError when it holds a sandbox already."""
    folder = folder.resolve()
    if (folder / "conformance.toml").exists():
        raise ValueError(f"{folder} holds a sandbox already; remove it or name another folder")
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    settings = Settings(
        database_url=database_url or f"sqlite:///{folder / 'platform.db'}",
        issuer=f"http://127.0.0.1:{port}",
        key_file=folder / "keys" / "server.json",
        secrets_file=folder / "keys" / "secrets.json",
        development=True,
        clock_file=folder / "clock.json",
        validate_answers=True,
        log_level="warning",
    )
    keyring.rotate(settings.key_file)
    write_secrets(settings.secrets_file)
    (folder / "clock.json").write_text('{"offset_seconds": 0}\n', encoding="utf-8")
    prepared = Sandbox(folder, settings, _register(settings, folder, region))
    (folder / "environment.json").write_text(json.dumps(prepared.environment(), indent=2) + "\n", encoding="utf-8")
    (folder / "conformance.toml").write_text(_conformance(prepared, region), encoding="utf-8")
    return prepared


def _register(settings: Settings, folder: Path, region: str) -> dict[str, str]:
    secrets = Secrets.load(settings.secrets_file)
    engine = make_engine(settings.database_url)
    upgrade(engine)
    storage = Storage(engine, settings.clock(), load_ruleset, secrets.vault(), settings.issuer)
    province = f"{region_prefix(region)[:2]}0000"
    wanted = {
        "vendor": ("institution_system", region), "rival": ("institution_system", region), "bank": ("bank", region),
        "guardian_app": ("guardian_app", "000000"), "authority": ("authority", region),
        "province": ("authority", province), "other_bank": ("bank", region),
        "far_authority": ("authority", "440000" if province != "440000" else "110000"),
    }  # fmt: skip
    ids: dict[str, str] = {}
    for name, (role, where) in wanted.items():
        key = keyring.generate()
        keyring.write_secret(folder / "keys" / f"{name}.json", json.dumps(key.as_dict(private=True)) + "\n")
        public = [dict(key.as_dict(private=False))]
        ids[name] = storage.write(partial(_add, name=name, role=role, region_code=where, jwks=public))
    engine.dispose()
    return ids


def _add(work: Work, **party: Any) -> str:
    return parties.register(work.connection, work.now, **party)


def _conformance(prepared: Sandbox, region: str) -> str:
    lines = [
        "# Written by `offcampus-server sandbox`: `offcampus-conformance run --config <this file>` tests the sandbox.",
        "[target]", 'profile = "platform"', f'base_url = "{prepared.settings.issuer}"', f'region_code = "{region}"',
        'clock_file = "clock.json"', "",
    ]  # fmt: skip
    for name, client_id in prepared.client_ids.items():
        lines += [f"[parties.{name}]", f'client_id = "{client_id}"', f'key_file = "keys/{name}.json"', ""]
    return "\n".join(lines)
