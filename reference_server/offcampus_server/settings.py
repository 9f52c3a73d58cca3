"""Settings, from the environment; nothing else configures the server.

OFFCAMPUS_DATABASE_URL      sqlite:///… or postgresql+psycopg://…   (default: sqlite:///offcampus.db)
OFFCAMPUS_ISSUER            the address by which parties reach the server; also the tokens' issuer
                            (default: http://127.0.0.1:8080)
OFFCAMPUS_KEY_FILE          the server's signing keys, JWKS with private parts (default: keys/server.json)
OFFCAMPUS_SECRETS_FILE      JSON with field_keys (Fernet, newest first), lookup_key, cursor_key
                            (default: keys/secrets.json)
OFFCAMPUS_DEVELOPMENT       1: webhooks may go to this machine, the clock may be shifted (default: 0)
OFFCAMPUS_CLOCK_FILE        JSON {"offset_seconds": n}; only in development
OFFCAMPUS_VALIDATE_ANSWERS  1: check each answer against the contract; a breach is a 500 (default: 0)
OFFCAMPUS_MAX_BODY_BYTES    the largest body (default: 2097152)
OFFCAMPUS_LOG_HEAD_SECONDS  at least so long between two signed heads of the provable log (default: 10)
OFFCAMPUS_RULES_LOCK        which plugins are in force (`offcampus-rules lock`); a change needs no restart
                            (default: none, every installed plugin)
OFFCAMPUS_RULES_ARCHIVE     a folder where each rule set that comes into force is kept by its digest (default: none)
OFFCAMPUS_RULES_OFFICIAL_ONLY  1: only values whose own text was read bind (default: 0)
OFFCAMPUS_LOG_LEVEL         debug, info, warning, error (default: info)
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from offcampus_server.kernel.clock import Clock
from offcampus_server.kernel.vault import Vault

NAMES = (
    "OFFCAMPUS_DATABASE_URL", "OFFCAMPUS_ISSUER", "OFFCAMPUS_KEY_FILE", "OFFCAMPUS_SECRETS_FILE",
    "OFFCAMPUS_DEVELOPMENT", "OFFCAMPUS_CLOCK_FILE", "OFFCAMPUS_VALIDATE_ANSWERS", "OFFCAMPUS_MAX_BODY_BYTES",
    "OFFCAMPUS_LOG_HEAD_SECONDS", "OFFCAMPUS_LOG_LEVEL", "OFFCAMPUS_RULES_LOCK", "OFFCAMPUS_RULES_ARCHIVE",
    "OFFCAMPUS_RULES_OFFICIAL_ONLY",
)  # fmt: skip


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and what is allowed."""


@dataclass(frozen=True)
class Secrets:
    """What must never be lost or shown: without the field keys, sealed personal data cannot be opened."""

    field_keys: tuple[str, ...]
    lookup_key: bytes
    cursor_key: bytes

    @classmethod
    def load(cls, path: Path) -> Secrets:
        """Read the secrets file. Raises SettingsError when it is missing or incomplete."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(raw["field_keys"]), bytes.fromhex(raw["lookup_key"]), bytes.fromhex(raw["cursor_key"]))
        except FileNotFoundError:
            raise SettingsError(f"{path} does not exist; `offcampus-server keys generate` makes it") from None
        except (KeyError, ValueError) as error:
            raise SettingsError(f"{path} is incomplete or malformed: {type(error).__name__}") from None

    def vault(self) -> Vault:
        """The vault under these keys."""
        return Vault(self.field_keys, self.lookup_key)


@dataclass(frozen=True)
class Settings:
    """All settings, checked."""

    database_url: str = "sqlite:///offcampus.db"
    issuer: str = "http://127.0.0.1:8080"
    key_file: Path = Path("keys/server.json")
    secrets_file: Path = Path("keys/secrets.json")
    development: bool = False
    clock_file: Path | None = None
    validate_answers: bool = False
    max_body_bytes: int = 2 * 1024 * 1024
    log_level: str = "info"
    log_head_seconds: int = 10
    rules_lock: Path | None = None
    rules_archive: Path | None = None
    rules_official_only: bool = False

    def clock(self) -> Clock:
        """The business clock."""
        return Clock(self.clock_file)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings. Raises SettingsError for a name that does not exist or a value that cannot be."""
        given = {name: value for name, value in environment.items() if name.startswith("OFFCAMPUS_")}
        if unknown := sorted(given.keys() - set(NAMES)):
            raise SettingsError(f"unknown setting {', '.join(unknown)}; allowed: {', '.join(NAMES)}")
        default = cls()
        development = _flag(given, "OFFCAMPUS_DEVELOPMENT")
        clock_file = given.get("OFFCAMPUS_CLOCK_FILE")
        if clock_file and not development:
            raise SettingsError("OFFCAMPUS_CLOCK_FILE needs OFFCAMPUS_DEVELOPMENT=1: production time is not shifted")
        return cls(
            given.get("OFFCAMPUS_DATABASE_URL", default.database_url),
            given.get("OFFCAMPUS_ISSUER", default.issuer).rstrip("/"),
            Path(given.get("OFFCAMPUS_KEY_FILE", default.key_file)),
            Path(given.get("OFFCAMPUS_SECRETS_FILE", default.secrets_file)),
            development,
            Path(clock_file) if clock_file else None,
            _flag(given, "OFFCAMPUS_VALIDATE_ANSWERS"),
            _number(given, "OFFCAMPUS_MAX_BODY_BYTES", default.max_body_bytes, 1024),
            _choice(given, "OFFCAMPUS_LOG_LEVEL", ("debug", "info", "warning", "error"), default.log_level),
            _number(given, "OFFCAMPUS_LOG_HEAD_SECONDS", default.log_head_seconds, 0),
            _path(given, "OFFCAMPUS_RULES_LOCK"),
            _path(given, "OFFCAMPUS_RULES_ARCHIVE"),
            _flag(given, "OFFCAMPUS_RULES_OFFICIAL_ONLY"),
        )


def _path(given: Mapping[str, str], name: str) -> Path | None:
    return Path(given[name]) if given.get(name) else None


def _flag(given: Mapping[str, str], name: str) -> bool:
    return _choice(given, name, ("0", "1"), "0") == "1"


def _number(given: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise SettingsError(f"{name} must be a whole number of at least {least}, not {text!r}")
    return int(text)


def _choice(given: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = given.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value
