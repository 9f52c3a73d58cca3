"""`conformance.toml`: what is tested, as whom, and what the target claims.

Relative paths are relative to the file. Raises `ConfigError` with the key that is wrong and what is allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offcampus_conformance.check import PROFILES


class ConfigError(Exception):
    """The configuration file cannot be used; the message names the key and what is allowed."""


@dataclass(frozen=True)
class PartyConfig:
    """A party that the suite speaks for: its client id and the file with its private key (JWK)."""

    client_id: str
    key_file: Path


@dataclass(frozen=True)
class Config:
    """One target and how to reach it."""

    profile: str
    base_url: str
    parties: Mapping[str, PartyConfig]
    claims: frozenset[str]
    driver_url: str | None
    listen_port: int
    region_code: str
    clock_file: Path | None

    def party(self, name: str) -> PartyConfig:
        """The party of this name. Raises ConfigError when the file does not have it."""
        if name not in self.parties:
            raise ConfigError(f"[parties.{name}] is missing: the profile {self.profile!r} speaks as this party")
        return self.parties[name]


def load(path: Path) -> Config:
    """Read and check a configuration file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; `offcampus-conformance init PROFILE` writes one") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    target = _table(raw, "target")
    profile = _text(target, "profile", "target")
    if profile not in PROFILES:
        raise ConfigError(f"target.profile is {profile!r}; allowed: {', '.join(PROFILES)}")
    clock_file = target.get("clock_file")
    return Config(
        profile=profile,
        base_url=_text(target, "base_url", "target").rstrip("/") if profile == "platform" else "",
        parties={name: _party(name, entry, path.parent) for name, entry in raw.get("parties", {}).items()},
        claims=frozenset(target.get("claims", [])),
        driver_url=target.get("driver_url"),
        listen_port=int(target.get("listen_port", 0)),
        region_code=str(target.get("region_code", "110105")),
        clock_file=path.parent / clock_file if clock_file else None,
    )


def _party(name: str, entry: Any, base: Path) -> PartyConfig:
    if not isinstance(entry, dict):
        raise ConfigError(f"[parties.{name}] must be a table with client_id and key_file")
    return PartyConfig(_text(entry, "client_id", f"parties.{name}"), base / _text(entry, "key_file", f"parties.{name}"))


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = raw.get(name)
    if not isinstance(table, dict):
        raise ConfigError(f"the table [{name}] is missing")
    return table


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}.{key} must be a non-empty text")
    return value
