"""`conformance.toml`: what is tested, as whom, and what the target claims.

Relative paths are relative to the file. Raises `ConfigError` with the key that is wrong and what is allowed.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offcampus_conformance.check import PROFILES

TARGET_KEYS = frozenset({
    "profile", "base_url", "claims", "driver_url", "driver_command", "by_hand", "listen_port", "region_code",
    "clock_file", "plugin", "above",
})  # fmt: skip
REPORT_KEYS = frozenset({"seed", "nonce", "baseline", "sign_with"})


class ConfigError(Exception):
    """The configuration file cannot be used; the message names the key and what is allowed."""


@dataclass(frozen=True)
class PartyConfig:
    """A party that the suite speaks for: its client id and the file with its private key (JWK)."""

    client_id: str
    key_file: Path


@dataclass(frozen=True)
class Product:
    """What is certified: one build of a product in one configuration, not one installation of it."""

    name: str = ""
    vendor: str = ""
    version: str = ""
    build_digest: str = ""
    config_digest: str = ""


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
    driver_command: tuple[str, ...] = ()
    by_hand: bool = False
    plugin: Path | None = None
    """The folder of the province plugin under test (profile `rules`)."""
    seed: int = 1
    """What the scenario chooses at random follows from it."""
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    """Marks what this run makes at the target, so that two runs do not meet."""
    nonce: str | None = None
    """What the authority gave for this run, so that a report cannot be an old one."""
    product: Product = field(default_factory=Product)
    baseline: Path | None = None
    sign_with: Path | None = None
    above: tuple[Path, ...] = ()
    """The folders of the plugins above the one under test; the installed ones when empty (profile `rules`)."""
    show: Callable[[Any], Any] | None = field(default=None, compare=False)
    """How a step by hand is shown and answered; the terminal when nobody says otherwise."""

    @property
    def address(self) -> str:
        """What a report calls the target."""
        by_command = " ".join(self.driver_command[:1])
        return self.base_url or self.driver_url or by_command or (self.plugin.name if self.plugin else "by hand")

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
    _known(target, "target", TARGET_KEYS)
    base, report = path.parent, raw.get("report", {})
    _known(report, "report", REPORT_KEYS)
    plugin = Path(_text(target, "plugin", "target")) if profile == "rules" else None
    return Config(
        profile=profile,
        base_url=_text(target, "base_url", "target").rstrip("/") if profile == "platform" else "",
        parties={name: _party(name, entry, base) for name, entry in raw.get("parties", {}).items()},
        claims=frozenset(target.get("claims", [])),
        driver_url=target.get("driver_url"),
        listen_port=int(target.get("listen_port", 0)),
        region_code=str(target.get("region_code", "110105")),
        clock_file=_file(target, "clock_file", base),
        driver_command=tuple(str(word) for word in target.get("driver_command", ())),
        by_hand=bool(target.get("by_hand", False)),
        plugin=base / plugin if plugin else None,
        seed=int(report.get("seed", 1)),
        nonce=report.get("nonce"),
        product=_product(raw.get("product", {})),
        baseline=_file(report, "baseline", base),
        sign_with=_file(report, "sign_with", base),
        above=tuple(base / str(folder) for folder in target.get("above", ())),
    )


def _known(table: Mapping[str, Any], where: str, allowed: frozenset[str]) -> None:
    if unknown := sorted(set(table) - allowed):
        raise ConfigError(f"{where}.{unknown[0]} is not known; allowed: {', '.join(sorted(allowed))}")


def _file(table: Mapping[str, Any], key: str, base: Path) -> Path | None:
    return base / str(table[key]) if table.get(key) else None


def _product(raw: Mapping[str, Any]) -> Product:
    _known(raw, "product", frozenset({"name", "vendor", "version", "build_digest", "config_digest"}))
    return Product(**{name: str(value) for name, value in raw.items()})


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
