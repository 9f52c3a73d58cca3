"""`offcampus.toml`: which platform, as whom, with which key. Relative paths are relative to the file.

[platform]
base_url = "https://platform.example"
client_id = "pty_…"          # what the platform gave
key = "vendor.json"          # a private JWK, or a folder of them for rotation
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from offcampus_sdk.client import Client
from offcampus_sdk.keys import Key, KeyFolder, KeyRing, Signer

NAME = "offcampus.toml"
TEXT = """\
# How this product reaches the platform. The key file is secret: keep it out of version control.
# 本产品如何连接平台。密钥文件须保密，勿入版本库。
[platform]
base_url = "{base_url}"
client_id = "{client_id}"      # the platform gives it when it has registered registration.json
key = "{key}"
"""


class SettingsError(Exception):
    """The settings cannot be used; the message names the place and what to do."""


@dataclass(frozen=True)
class Settings:
    """One platform, one party."""

    base_url: str
    client_id: str
    key: Path

    def signer(self) -> Signer | KeyRing:
        """The key, or the ring of a folder of keys. Raises SettingsError."""
        try:
            return KeyFolder(self.key) if self.key.is_dir() else Key.load(self.key)
        except (OSError, ValueError) as error:
            raise SettingsError(f"platform.key: {self.key.name} is no private key ({type(error).__name__})") from None

    def client(self) -> Client:
        """A client. Raises SettingsError while the platform has given no client_id."""
        if not self.client_id:
            raise SettingsError("platform.client_id is empty: send registration.json to the platform, then fill it in")
        return Client(self.base_url, self.client_id, self.signer())


def load(path: Path) -> Settings:
    """Read the file. Raises SettingsError."""
    try:
        platform = tomllib.loads(path.read_text(encoding="utf-8"))["platform"]
        wanted = {name: platform[name] for name in ("base_url", "client_id", "key")}
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist; `offcampus init` writes one") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from None
    except (KeyError, TypeError) as error:
        raise SettingsError(f"{path}: [platform] needs base_url, client_id and key; missing: {error}") from None
    if wrong := [name for name, value in wanted.items() if not isinstance(value, str)]:
        raise SettingsError(f"{path}: platform.{wrong[0]} must be a text")
    if not wanted["base_url"].startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise SettingsError(f"{path}: platform.base_url must begin with https:// (http only on this machine)")
    return Settings(wanted["base_url"], wanted["client_id"], path.parent / wanted["key"])
