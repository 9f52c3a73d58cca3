"""Fresh secrets for a new server."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from offcampus_server.kernel.keyring import write_secret


def write_secrets(path: Path) -> None:
    """Fresh secrets in a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = {
        "field_keys": [Fernet.generate_key().decode()],
        "lookup_key": secrets.token_hex(32),
        "cursor_key": secrets.token_hex(32),
    }
    write_secret(path, json.dumps(fresh, indent=2) + "\n")
